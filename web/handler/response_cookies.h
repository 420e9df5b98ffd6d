#pragma once

#include <squall/http/message/headers.h>
#include <squall/http/server/request.h>
#include <squall/web/handler/cookie_options.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

// The cookies that a handler has set, which become Set-Cookie headers (WEB-48, WEB-80).
//
// Lifetime:  a part of a RequestHandler.
// Errors:    http::CookieError for a cookie that cannot be sent, or that is too large for browsers.
class ResponseCookies {
 public:
  // Replaces a cookie of the same name, and puts it last.
  void set(const http::ServerRequest& request, std::string_view name, std::string_view value,
           const CookieOptions& options);
  // The browser deletes the cookie. Throws std::invalid_argument for options that say when it ends (WEB-86).
  void clear(const http::ServerRequest& request, std::string_view name, const CookieOptions& options);
  // All cookies of the request, except those whose names a response may not have. Errors as clear().
  void clear_all(const http::ServerRequest& request, const CookieOptions& options);

  // Adds a Set-Cookie header for each cookie that was not added since the last start_again().
  void add_to(http::Headers& headers);
  // The headers were cleared: the next add_to() adds all cookies.
  void start_again() noexcept { added_ = 0; }

 private:
  struct Cookie {
    std::string name;
    std::string header;  // the value of Set-Cookie
  };

  void forget(std::string_view name);

  std::vector<Cookie> cookies_;  // the first `added_` of them were added
  std::size_t added_ = 0;
};

}  // namespace squall::web
