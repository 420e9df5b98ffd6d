#include <squall/web/auth/sign_in_state.h>

#include <squall/http/message/query.h>
#include <squall/http/message/url.h>
#include <squall/ioloop/base/random_bytes.h>
#include <squall/web/auth/auth_error.h>
#include <squall/web/auth/base64url.h>
#include <squall/web/handler/local_path.h>
#include <squall/web/security/constant_time.h>

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>

namespace squall::web::detail {
namespace {

template <std::size_t size>
std::string random_text() {
  const auto bytes = squall::detail::random_bytes<size>();
  return base64url_encode({bytes.data(), bytes.size()});
}

std::optional<SignInState> parse_state(std::string_view text) {
  std::optional<http::QueryArguments> fields = http::parse_query(text);
  if (!fields) return std::nullopt;
  SignInState state;
  for (auto& [name, value] : *fields) {
    if (name == "provider") state.provider = std::move(value);
    if (name == "state") state.state = std::move(value);
    if (name == "verifier") state.verifier = std::move(value);
    if (name == "nonce") state.nonce = std::move(value);
    if (name == "redirect_uri") state.redirect_uri = std::move(value);
    if (name == "next") state.next = std::move(value);
  }
  return state;
}

bool is_https(const RequestHandler& handler) { return handler.request().protocol() == "https"; }

SignInState read_state(RequestHandler& handler, const std::string& cookie_name, TimeSpan lifetime) {
  VerifyOptions verify;
  verify.max_age = lifetime;
  verify.min_version = 2;
  const std::string name = browser_cookie_name(handler, cookie_name);
  const std::optional<std::string> text = handler.get_signed_cookie(name, verify);
  std::optional<SignInState> kept = text ? parse_state(*text) : std::nullopt;
  if (!kept || kept->state.empty())
    throw AuthError(
        AuthError::Fault::request,
        fmt::format("no sign-in of this browser is under way: the cookie {} is missing, invalid or "
                    "older than {} s",
                    name, std::chrono::duration_cast<std::chrono::seconds>(lifetime).count()));
  return std::move(*kept);
}

}  // namespace

std::string browser_cookie_name(const RequestHandler& handler, const std::string& cookie_name) {
  return is_https(handler) ? "__Host-" + cookie_name : cookie_name;
}

CookieOptions browser_cookie_options(const RequestHandler& handler) {
  CookieOptions options;
  if (is_https(handler)) options.secure = true;
  return options;
}

std::string random_token() { return random_text<16>(); }
std::string random_long_token() { return random_text<32>(); }

void SignInState::save(RequestHandler& handler, const std::string& cookie_name, TimeSpan lifetime) const {
  http::QueryArguments fields;
  for (const auto& [name, value] :
       {std::pair("provider", &provider), std::pair("state", &state), std::pair("verifier", &verifier),
        std::pair("nonce", &nonce), std::pair("redirect_uri", &redirect_uri), std::pair("next", &next)})
    if (!value->empty()) fields.emplace_back(name, *value);
  CookieOptions cookie = browser_cookie_options(handler);
  cookie.max_age = std::chrono::duration_cast<std::chrono::seconds>(lifetime);
  handler.set_signed_cookie(browser_cookie_name(handler, cookie_name), http::urlencode(fields), cookie);
}

void SignInState::require(RequestHandler& handler, const std::string& cookie_name, TimeSpan lifetime) {
  read_state(handler, cookie_name, lifetime);
}

SignInState SignInState::take(RequestHandler& handler, const std::string& cookie_name, TimeSpan lifetime,
                              std::string_view provider, std::string_view state) {
  using Fault = AuthError::Fault;
  SignInState kept = read_state(handler, cookie_name, lifetime);
  if (!constant_time_equals(kept.state, state))
    throw AuthError(Fault::request, "the state is not that of the sign-in that this browser began last");
  if (kept.provider != provider)
    throw AuthError(Fault::request, "the sign-in that this browser began last is at another provider");
  handler.clear_cookie(browser_cookie_name(handler, cookie_name), browser_cookie_options(handler));
  return kept;
}

std::string absolute_url(const RequestHandler& handler, std::string_view uri) {
  const http::ServerRequest& request = handler.request();
  if (uri.empty()) uri = request.path();
  std::string url(uri);
  if (uri.starts_with('/')) url = fmt::format("{}://{}{}", request.protocol(), request.host(), uri);
  return http::URL(url).text();
}

std::string query_value(RequestHandler& handler, std::string_view name) {
  return handler.get_query_argument(name, "");
}

}  // namespace squall::web::detail
