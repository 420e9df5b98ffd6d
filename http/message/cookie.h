#pragma once

#include <squall/http/message/query.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace squall::http {

// ---- The Cookie header, read as browsers write it.

// Names and values in the order they came, the later of one name alone. Split at `;`, each piece at its first
// `=`; a piece without one is a value without a name (HUT-90). None if there are more than `max_cookies`. Who
// wants none but lawful names leaves out those that are not is_cookie_name() (HUT-38).
std::optional<QueryArguments> parse_cookies(std::string_view header, std::size_t max_cookies = 1000);

// Without the double quotes around it, if there are any; `\ooo` and `\x` within them replaced (HUT-91). Octal
// escapes are ISO-8859-1, and become UTF-8: format_set_cookie() undone. Linear time (SEC-41).
std::string unquote_cookie(std::string_view value);

// One or more of a token's characters and the colon.
bool is_cookie_name(std::string_view name) noexcept;

// ---- The Set-Cookie header.

enum class SameSite : std::uint8_t { unset, none, lax, strict };

struct SetCookie {
  std::string name;
  std::string value;
  std::string domain;      // empty: the host alone
  std::string path = "/";  // empty: the folder of the request's path
  std::optional<std::chrono::system_clock::time_point> expires;
  std::optional<std::chrono::seconds> max_age;  // 0 or less: at once
  bool secure = false;
  bool http_only = false;
  bool partitioned = false;
  SameSite same_site = SameSite::unset;

  bool operator==(const SetCookie&) const = default;
};

// A cookie that cannot be sent, or that no browser would keep.
class CookieError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// A Set-Cookie header's value, attributes in alphabetical order (WEB-85). A value that is more than a token
// and colons goes in double quotes, escaped; it is text in UTF-8, of which no character above U+00FF can be
// sent (WEB-84). Throws CookieError:
// - for an unlawful name, a value with control characters or spaces (WEB-81), control characters or `;` in an
//   attribute (WEB-82, SEC-33);
// - for `__Secure-` or SameSite=None or Partitioned without Secure, `__Host-` without Secure and the path `/`
// or
//   with a domain (RFC 6265bis, 4.1.3; SEC-48).
std::string format_set_cookie(const SetCookie& cookie);

// The Set-Cookie that takes a cookie away, which must have the path and domain it was set with (WEB-86).
std::string format_clear_cookie(SetCookie cookie, std::chrono::system_clock::time_point now);

// What a client makes of a Set-Cookie header (RFC 6265, 5.2): none if it is to be ignored whole, for want of
// an `=` or a name, for control characters, or for more than 4096 bytes of name and value (RFC 6265bis, 5.6).
// Values stay as they were sent, quotes and all; the domain is in lower case and without a leading dot, the
// path empty unless it begins with a slash. Attributes that are unknown or malformed are nothing; of repeated
// ones the last counts.
std::optional<SetCookie> parse_set_cookie(std::string_view header);

// The date of an Expires attribute, by rules of its own (RFC 6265, 5.1.1).
std::optional<std::chrono::system_clock::time_point> parse_cookie_date(std::string_view text) noexcept;

}  // namespace squall::http
