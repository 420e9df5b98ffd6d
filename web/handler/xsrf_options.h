#pragma once

#include <squall/web/handler/cookie_options.h>

#include <string>

namespace squall::web {

// The cookie against cross-site request forgery (WEB-101): see HandlerCookies::xsrf_token().
struct XsrfOptions {
  // With the prefix `__Host-`, other hosts of the domain cannot set the cookie (SEC-48); it then needs TLS.
  std::string cookie_name = "_xsrf";
  // The format of the token, 1 or 2: see XsrfToken. Both are accepted from clients.
  int cookie_version = 2;
  // Scripts of the site may read the cookie, to send its value in a header.
  CookieOptions cookie{.http_only = false};
};

}  // namespace squall::web
