#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/web/handler/request_handler.h>

#include <string>
#include <string_view>

// A sign-in that a browser has begun. Private: no installed header includes this header.
namespace squall::web::detail {

// Random text for a URL: 128 bits (22 characters), or 256 bits (43 characters).
std::string random_token();
std::string random_long_token();

// The name of a cookie of a sign-in as the browser has it: with `__Host-` if the request came over https, so
// that no other host of the domain can set it (RFC 6265bis, 4.1.3.2). Of the cookie's options, those that
// this needs.
std::string browser_cookie_name(const RequestHandler& handler, const std::string& cookie_name);
CookieOptions browser_cookie_options(const RequestHandler& handler);

// The values that a browser keeps, in a signed cookie, while its user is at the provider. The browser that
// began a sign-in is thus the only one that can end it (RFC 9700, 4.7).
struct SignInState {
  std::string provider;  // a name of the provider, which no other provider of the application has
  std::string state;
  std::string verifier{};  // of PKCE
  std::string nonce{};
  std::string redirect_uri{};
  std::string next{};

  // A later sign-in by the same cookie replaces this one. The cookie ends after `lifetime`. Throws
  // std::logic_error without Settings::cookie_secret.
  void save(RequestHandler& handler, const std::string& cookie_name, TimeSpan lifetime) const;

  // Throws as take() if there is no cookie of a sign-in, or it is too old.
  static void require(RequestHandler& handler, const std::string& cookie_name, TimeSpan lifetime);

  // Reads the cookie of a browser that comes back with `state`, and clears it. Throws AuthError without a
  // cookie, and if the cookie is too old, or of another state or provider: it is then not cleared, so that a
  // forged request does not end a sign-in.
  static SignInState take(RequestHandler& handler, const std::string& cookie_name, TimeSpan lifetime,
                          std::string_view provider, std::string_view state);
};

// `uri`, or its URL on the host of the request if it is a path; the request's own path if it is empty. Throws
// std::invalid_argument if that is no URL.
std::string absolute_url(const RequestHandler& handler, std::string_view uri);

// The last value of an argument of the query; empty without one.
std::string query_value(RequestHandler& handler, std::string_view name);

}  // namespace squall::web::detail
