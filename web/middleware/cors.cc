#include <squall/web/middleware/cors.h>

#include <squall/http/message/vary.h>
#include <squall/web/handler/method_set.h>
#include <squall/web/handler/request_handler.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

constexpr std::string_view kAny = "*";

bool contains(const std::vector<std::string>& list, std::string_view text) noexcept {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// An origin is `scheme://host` or `scheme://host:port` in lower case (RFC 6454, 6.2), or `null`.
void check_origin(std::string_view origin) {
  if (origin == kAny || origin == "null") return;
  const std::size_t host = origin.find("://");
  const bool is_lower =
      std::none_of(origin.begin(), origin.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (host != origin.npos && host > 0 && host + 3 < origin.size() && is_lower &&
      origin.find_first_of("/?# ,", host + 3) == origin.npos)
    return;
  throw std::invalid_argument(fmt::format("'{}' is not an origin such as https://app.example", origin));
}

// The names as the value of a header.
std::string join_tokens(const std::vector<std::string>& names, const CORSOptions& options) {
  http::Headers checked;
  for (const std::string& name : names) {
    if (name == kAny && options.allow_credentials)
      throw std::invalid_argument("CORS: browsers refuse * together with credentials");
    checked.add(name, "");  // throws if the name is not a token
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

bool is_preflight(const http::ServerRequest& request) {
  return request.method() == http::Method::options && request.headers().contains("Origin") &&
         request.headers().contains("Access-Control-Request-Method");
}

}  // namespace

CORS::CORS(Options options) : options_(std::move(options)), any_origin_(contains(options_.origins, kAny)) {
  for (const std::string& origin : options_.origins) check_origin(origin);
  if (any_origin_ && options_.allow_credentials)
    throw std::invalid_argument("CORS: browsers refuse * together with credentials");
  // Any site can make requests with this origin, from a sandboxed frame.
  if (options_.allow_credentials && contains(options_.origins, "null"))
    throw std::invalid_argument("CORS: the origin null may not have credentials");
  methods_ = join_tokens(options_.methods, options_);
  request_headers_ = join_tokens(options_.request_headers, options_);
  exposed_headers_ = join_tokens(options_.exposed_headers, options_);
  max_age_ = fmt::to_string(options_.max_age.count());
}

bool CORS::allows(std::string_view origin) const noexcept {
  return any_origin_ || contains(options_.origins, origin);
}

void CORS::before(RequestHandler& handler) {
  if (!is_preflight(handler.request())) return;
  handler.set_status(204);
  handler.finish();
}

void CORS::before_head(RequestHandler& handler) {
  // A cache must not give the response for one origin to another, nor the response to a request without one.
  if (!any_origin_) http::add_vary(handler.exchange().headers(), "Origin");
  const auto origin = handler.request().headers().find("Origin");
  if (!origin || !allows(*origin)) return;
  handler.set_header("Access-Control-Allow-Origin", any_origin_ ? kAny : *origin);
  if (options_.allow_credentials) handler.set_header("Access-Control-Allow-Credentials", "true");
  if (is_preflight(handler.request())) return add_preflight_headers(handler);
  if (!exposed_headers_.empty()) handler.set_header("Access-Control-Expose-Headers", exposed_headers_);
}

void CORS::add_preflight_headers(RequestHandler& handler) const {
  const std::string methods = methods_.empty() ? allowed_methods(handler.type()) : methods_;
  if (!methods.empty()) handler.set_header("Access-Control-Allow-Methods", methods);
  if (!request_headers_.empty()) handler.set_header("Access-Control-Allow-Headers", request_headers_);
  handler.set_header("Access-Control-Max-Age", max_age_);
}

}  // namespace squall::web
