#include <squall/web/handler/handler_cookies.h>

#include <squall/ioloop/base/log.h>
#include <squall/web/handler/handler_state.h>

#include <stdexcept>

namespace squall::web {

using std::chrono::system_clock;

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

}  // namespace squall::web
