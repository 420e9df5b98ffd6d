#include <squall/web/handler/handler_cookies.h>

#include <squall/ioloop/base/log.h>
#include <squall/web/handler/handler_state.h>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace squall::web {

namespace {

using std::chrono::system_clock;

}  // namespace

[[gnu::cold]] void HandlerCookies::DestroyState::operator()(HandlerState* state) const noexcept {
  delete state;
}

HandlerState& HandlerCookies::state() {
  if (!state_) state_.reset(new HandlerState);
  return *state_;
}

void HandlerCookies::set_cookie(std::string_view name, std::string_view value, const CookieOptions& options) {
  state().cookies.set(request(), name, value, options);
}

void HandlerCookies::clear_cookie(std::string_view name, const CookieOptions& options) {
  state().cookies.clear(request(), name, options);
}

void HandlerCookies::clear_all_cookies(const CookieOptions& options) {
  state().cookies.clear_all(request(), options);
}

// ---- Signed cookies.

const CookieSecrets& HandlerCookies::cookie_secret() const {
  const CookieSecrets& secrets = settings().cookie_secret;
  if (secrets.empty())
    throw std::logic_error(
        "You must define the 'cookie_secret' setting in your application to use secure cookies");
  return secrets;
}

void HandlerCookies::set_signed_cookie(std::string_view name, std::string_view value,
                                       const CookieOptions& options, int version) {
  const SigningOptions signing{version, settings().key_version};
  set_cookie(name, create_signed_value(cookie_secret(), name, value, system_clock::now(), signing), options);
}

std::optional<std::string> HandlerCookies::get_signed_cookie(std::string_view name,
                                                             const VerifyOptions& options) {
  const CookieSecrets& secrets = cookie_secret();
  const std::optional<std::string> text = get_cookie(name);
  if (!text) return std::nullopt;
  SignedValueFault fault{};
  std::optional<std::string> value =
      decode_signed_value(secrets, name, *text, system_clock::now(), options, fault);
  if (!value) log::general().warning("{}: '{}' from {}", describe(fault), name, request().remote_ip());
  return value;
}

std::optional<int> HandlerCookies::get_signed_cookie_key_version(std::string_view name) {
  static_cast<void>(cookie_secret());
  const std::optional<std::string> text = get_cookie(name);
  return text ? get_signature_key_version(*text) : std::nullopt;
}

// ---- Protection against cross-site request forgery.

// The token can be used without Settings::xsrf_cookies, by handlers that check it themselves.
const XsrfOptions& HandlerCookies::xsrf_options() const {
  static const XsrfOptions kDefault;
  const std::optional<XsrfOptions>& options = settings().xsrf_cookies;
  return options ? *options : kDefault;
}

// A malformed cookie is no error (SEC-47): the client can do nothing about it.
std::optional<XsrfToken> HandlerCookies::xsrf_cookie() {
  const std::optional<std::string> text = get_cookie(xsrf_options().cookie_name);
  return text ? XsrfToken::decode(*text, system_clock::now()) : std::nullopt;
}

// A body that was not read, or not yet, is empty here.
std::string HandlerCookies::received_xsrf_token() {
  std::string token = request().body().empty() ? get_query_argument("_xsrf", "") : get_argument("_xsrf", "");
  if (token.empty()) token = request().headers().get("X-Xsrftoken");
  if (token.empty()) token = request().headers().get("X-Csrftoken");
  return token;
}

void detail::check_xsrf_token(HandlerCookies& handler) { handler.check_xsrf_token(); }

void HandlerCookies::check_xsrf_cookie() {
  const std::optional<XsrfOptions>& options = settings().xsrf_cookies;
  if (!options)
    throw std::logic_error(
        "check_xsrf_cookie() needs the 'xsrf_cookies' setting: without it call check_xsrf_token()");
  options->check(*this);
}

void HandlerCookies::check_xsrf_token() {
  const std::string text = received_xsrf_token();
  if (text.empty()) throw HTTPError(403, "'_xsrf' argument missing from POST");
  const std::optional<XsrfToken> token = XsrfToken::decode(text, system_clock::now());
  if (!token) throw HTTPError(403, "'_xsrf' argument has invalid format");
  const std::optional<XsrfToken> expected = xsrf_cookie();
  if (!expected || !token->matches(*expected))
    throw HTTPError(403, "XSRF cookie does not match POST argument");
}

}  // namespace squall::web
