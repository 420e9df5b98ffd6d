#pragma once

#include <squall/http/message/cookie.h>

#include <chrono>
#include <optional>
#include <string>

namespace squall::web {

// The attributes of a cookie that a handler sets (RFC 6265bis, 4.1.2). By default a script of the page cannot
// read the cookie, other sites cannot send it with a form, and a cookie set over TLS is never sent without
// TLS.
struct CookieOptions {
  // Empty: the cookie goes only to the host that sets it.
  std::string domain{};
  // Empty: the directory of the request's path.
  std::string path = "/";
  // The cookie ends at `expires` or after `expires_days`; `expires` has precedence (WEB-83). A `max_age` of 0
  // or less ends it at once, and browsers prefer it to both. Without any, the cookie ends with the browser's
  // session.
  std::optional<std::chrono::system_clock::time_point> expires{};
  std::optional<std::chrono::days> expires_days{};
  std::optional<std::chrono::seconds> max_age{};
  bool http_only = true;
  http::SameSite same_site = http::SameSite::lax;
  // nullopt: if the request came over TLS.
  std::optional<bool> secure{};
  bool partitioned = false;
};

}  // namespace squall::web
