#pragma once

#include <squall/web/handler/cookie_options.h>
#include <squall/web/handler/request_input.h>
#include <squall/web/security/signed_value.h>
#include <squall/web/security/xsrf_token.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

struct HandlerState;

// The cookies of a handler: a base class of RequestHandler, whose comment has the rules for both.
class HandlerCookies : public RequestInput {
 public:
  // ---- Cookies of the response (WEB-80 to WEB-86). They are sent with the head, also of an error page; a
  // cookie that is set after the head was sent is lost. A cookie replaces an earlier one of its name. Throws
  // http::CookieError for a cookie that cannot be sent, and for a name and value of more than 4096 bytes
  // together, which browsers ignore (RFC 6265bis, 5.6).

  void set_cookie(std::string_view name, std::string_view value, const CookieOptions& options = {});
  // Makes the browser delete the cookie, which must have been set with the same domain and path. Throws
  // std::invalid_argument for options that say when the cookie ends.
  void clear_cookie(std::string_view name, const CookieOptions& options = {});
  // The same for all cookies of the request.
  void clear_all_cookies(const CookieOptions& options = {});

  // ---- Signed cookies: the client can read but not change them (WEB-90 to WEB-98). They need
  // Settings::cookie_secret, and throw std::logic_error without it.

  // A cookie with the text of create_signed_value(). Without options it lasts for 30 days; with options, as
  // long as they say. Throws std::invalid_argument as create_signed_value() does, and errors of set_cookie().
  void set_signed_cookie(std::string_view name, std::string_view value,
                         const CookieOptions& options = {.expires_days = std::chrono::days(30)},
                         int version = kDefaultSignedValueVersion);
  // The value of a cookie of the request. nullopt without the cookie, and for one that the application has
  // not signed, or not within `max_age`, 31 days by default; a log line then says why. Throws
  // std::invalid_argument for an unknown min_version.
  std::optional<std::string> get_signed_cookie(std::string_view name, const VerifyOptions& options = {});
  // The key version that the cookie names. The signature is not verified.
  std::optional<int> get_signed_cookie_key_version(std::string_view name);

  // ---- Protection against cross-site request forgery (WEB-100 to WEB-112): a request that changes something
  // must send back the token that a page of this site has, and another site cannot know. Pages get it by
  // RequestHandler::xsrf_token().

  // Throws HTTPError 403 unless the request has the token of its cookie: as the argument `_xsrf`, or in the
  // header X-Xsrftoken or X-Csrftoken. A body that streams cannot have the argument, its query can.
  void check_xsrf_token();
  // With Settings::xsrf_cookies the framework calls this function before prepare(), and before
  // get_current_user() if that is a task, for all methods but GET, HEAD, OPTIONS and QUERY. Calls
  // check_xsrf_token(). Throws std::logic_error without Settings::xsrf_cookies. Overridden with an empty
  // function, it exempts the class: for clients that are not browsers. May be overridden.
  virtual void check_xsrf_cookie();

 protected:
  HandlerCookies() = default;
  ~HandlerCookies() override = default;

 private:
  friend class RequestHandler;

  HandlerState& state();
  const CookieSecrets& cookie_secret() const;
  const XsrfOptions& xsrf_options() const;
  std::optional<XsrfToken> xsrf_cookie();
  std::string received_xsrf_token();

  // In the source file, where HandlerState is complete. Not called for null.
  struct DestroyState {
    void operator()(HandlerState* state) const noexcept;
  };
  std::unique_ptr<HandlerState, DestroyState> state_;  // null until the first use
};

}  // namespace squall::web
