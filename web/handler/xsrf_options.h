#pragma once

#include <squall/web/handler/cookie_options.h>

#include <string>

namespace squall::web {

class HandlerCookies;

namespace detail {

// HandlerCookies::check_xsrf_token().
void check_xsrf_token(HandlerCookies& handler);

}  // namespace detail

// The cookie against cross-site request forgery (WEB-101): see RequestHandler::xsrf_token().
struct XsrfOptions {
  // With the prefix `__Host-`, other hosts of the domain cannot set the cookie (SEC-48); it then needs TLS.
  std::string cookie_name = "_xsrf";
  // The format of the token, 1 or 2: see XsrfToken. Both are accepted from clients.
  int cookie_version = 2;
  // Scripts of the site may read the cookie, to send its value in a header.
  CookieOptions cookie{.http_only = false};
  // Not to be set. By this pointer the linker drops the check, and the forms and cookies that it reads, from
  // a program that has no such options.
  void (*check)(HandlerCookies& handler) = &detail::check_xsrf_token;
};

}  // namespace squall::web
