#include <squall/web/handler/handler_cookies.h>

#include <squall/ioloop/base/log.h>
#include <squall/web/handler/handler_state.h>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace squall::web {

namespace {

using std::chrono::system_clock;

// The token can be used without Settings::xsrf_cookies, by handlers that check it themselves.
const XsrfOptions& xsrf_options(const Settings& settings) {
  static const XsrfOptions kDefault;
  return settings.xsrf_cookies ? *settings.xsrf_cookies : kDefault;
}

}  // namespace

HandlerCookies::HandlerCookies() = default;
HandlerCookies::~HandlerCookies() = default;

HandlerState& HandlerCookies::state() {
  if (!state_) state_ = std::make_unique<HandlerState>();
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

void HandlerCookies::move_cookies() {
  if (state_) state_->cookies.move_to(exchange_->headers());
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

// A malformed cookie is no error (SEC-47): the client can do nothing about it.
std::optional<XsrfToken> HandlerCookies::xsrf_cookie() {
  const std::optional<std::string> text = get_cookie(xsrf_options(settings()).cookie_name);
  return text ? XsrfToken::decode(*text, system_clock::now()) : std::nullopt;
}

const std::string& HandlerCookies::xsrf_token() {
  std::optional<std::string>& text = state().xsrf_token;
  if (text) return *text;
  const std::optional<XsrfToken> received = xsrf_cookie();
  if (!received && exchange_->head_sent())
    throw std::logic_error("xsrf_token() sets a cookie, but the head of the response was sent before");
  const XsrfToken token = received ? *received : XsrfToken::random(system_clock::now());
  std::string made = token.encode(xsrf_options(settings()).cookie_version);
  if (!received) set_xsrf_cookie(made);
  return text.emplace(std::move(made));
}

void HandlerCookies::set_xsrf_cookie(const std::string& token) {
  const XsrfOptions& options = xsrf_options(settings());
  CookieOptions cookie = options.cookie;
  const bool says_end = cookie.expires || cookie.expires_days || cookie.max_age;
  if (!says_end && has_user()) cookie.expires_days = std::chrono::days(30);
  set_cookie(options.cookie_name, token, cookie);
}

std::string HandlerCookies::xsrf_form_html() {
  return fmt::format(R"(<input type="hidden" name="_xsrf" value="{}"/>)", xsrf_token());
}

// A body that was not read, or not yet, is empty here.
std::string HandlerCookies::received_xsrf_token() {
  const Source source = request().body().empty() ? Source::query : Source::both;
  std::string token = find_argument(source, "_xsrf").value_or("");
  if (token.empty()) token = request().headers().get("X-Xsrftoken");
  if (token.empty()) token = request().headers().get("X-Csrftoken");
  return token;
}

void HandlerCookies::check_xsrf_cookie() {
  const std::string text = received_xsrf_token();
  if (text.empty()) throw HTTPError(403, "'_xsrf' argument missing from POST");
  const std::optional<XsrfToken> token = XsrfToken::decode(text, system_clock::now());
  if (!token) throw HTTPError(403, "'_xsrf' argument has invalid format");
  const std::optional<XsrfToken> expected = xsrf_cookie();
  if (!expected || !token->matches(*expected))
    throw HTTPError(403, "XSRF cookie does not match POST argument");
}

}  // namespace squall::web
