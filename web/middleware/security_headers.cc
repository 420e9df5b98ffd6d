#include <squall/web/middleware/security_headers.h>

#include <squall/http/message/base64.h>
#include <squall/ioloop/base/random_bytes.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/handler/request_local.h>

#include <fmt/format.h>

#include <cstddef>
#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

constexpr std::string_view kNonce = "{nonce}";

struct Nonce {
  std::string text;  // empty until it is made
};

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

}  // namespace

SecurityHeaders::SecurityHeaders(Options options)
    : policy_name_(options.report_only ? "Content-Security-Policy-Report-Only" : "Content-Security-Policy"),
      policy_(std::move(options.content_security_policy)),
      policy_without_nonce_(replace_all(replace_all(policy_, " 'nonce-{nonce}'", ""), kNonce, "")),
      is_always_with_nonce_(policy_.find("'unsafe-inline'") != policy_.npos &&
                            policy_.find(kNonce) != policy_.npos) {
  if (options.hsts_preload && !options.hsts_subdomains)
    throw std::invalid_argument("SecurityHeaders: hsts_preload needs hsts_subdomains");
  http::Headers().add(policy_name_, policy_);  // checks the value
  fixed_.add("X-Content-Type-Options", "nosniff");
  using Line = std::pair<const char*, const std::string*>;
  for (const auto& [name, value] :
       {Line("X-Frame-Options", &options.frame_options), Line("Referrer-Policy", &options.referrer_policy),
        Line("Cross-Origin-Opener-Policy", &options.opener_policy),
        Line("Cross-Origin-Resource-Policy", &options.resource_policy),
        Line("Permissions-Policy", &options.permissions_policy)}) {
    if (!value->empty()) fixed_.add(name, *value);
  }
  if (!options.hsts) return;
  hsts_ = fmt::format("max-age={}{}{}", options.hsts->count(),
                      options.hsts_subdomains ? "; includeSubDomains" : "",
                      options.hsts_preload ? "; preload" : "");
}

void SecurityHeaders::before_head(RequestHandler& handler) {
  http::Headers& headers = handler.exchange().headers();
  for (const auto [name, value] : fixed_)
    if (!headers.contains(name)) headers.add(name, value);
  if (!hsts_.empty() && handler.request().protocol() == "https" &&
      !headers.contains("Strict-Transport-Security"))
    headers.add("Strict-Transport-Security", hsts_);
  if (policy_.empty() || headers.contains(policy_name_)) return;
  const Nonce* const used = find_request_local<Nonce>(handler);
  if (!used && !is_always_with_nonce_) return headers.add(policy_name_, policy_without_nonce_);
  headers.add(policy_name_,
              replace_all(policy_, kNonce, used ? std::string_view(used->text) : nonce(handler)));
}

std::string_view SecurityHeaders::nonce(RequestHandler& handler) {
  Nonce& nonce = request_local<Nonce>(handler);
  if (nonce.text.empty()) {
    const auto bytes = squall::detail::random_bytes<16>();
    nonce.text = http::base64_encode({bytes.data(), bytes.size()});
  }
  return nonce.text;
}

}  // namespace squall::web
