#pragma once

#include <squall/web/handler/cookie_options.h>
#include <squall/web/handler/request_input.h>

#include <memory>
#include <string_view>

namespace squall::web {

struct HandlerState;

// The cookies of a handler: a base class of RequestHandler, whose comment has the rules for both.
class HandlerCookies : public RequestInput {
 public:
  // ---- Cookies of the response (WEB-80 to WEB-86). They are sent with the head, also of an error page. A
  // cookie replaces an earlier one of its name. Throws http::CookieError for a cookie that cannot be sent.

  void set_cookie(std::string_view name, std::string_view value, const CookieOptions& options = {});
  // Makes the browser delete the cookie, which must have been set with the same domain and path. Throws
  // std::invalid_argument for options that say when the cookie ends.
  void clear_cookie(std::string_view name, const CookieOptions& options = {});
  // The same for all cookies of the request.
  void clear_all_cookies(const CookieOptions& options = {});

 protected:
  HandlerCookies();
  ~HandlerCookies() override;

 private:
  friend class RequestHandler;

  HandlerState& state();

  std::unique_ptr<HandlerState> state_;  // null until the first use
};

}  // namespace squall::web
