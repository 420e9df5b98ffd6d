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

// ---- The Cookie header.

// Names and values in their order; of several cookies with one name the last alone. Cookies are separated by
// `;`, name and value by the first `=`; a piece without `=` is a value with an empty name (HUT-90). Names are
// not checked: see is_cookie_name() (HUT-38). nullopt for more cookies than `max_cookies`.
std::optional<QueryArguments> parse_cookies(std::string_view header, std::size_t max_cookies = 1000);

// Undoes the quoting of format_set_cookie(): removes the double quotes and replaces `\ooo` and `\x` (HUT-91).
// Octal escapes are ISO-8859-1 and become UTF-8. A value without quotes is returned unchanged. Linear time
// (SEC-41).
std::string unquote_cookie(std::string_view value);

// Whether the name is one or more characters of a token, or colons.
bool is_cookie_name(std::string_view name) noexcept;

// ---- The Set-Cookie header.

enum class SameSite : std::uint8_t { unset, none, lax, strict };

// A cookie that a server sets.
struct SetCookie {
  std::string name;
  std::string value;
  std::string domain;      // empty: only the host that sets it
  std::string path = "/";  // empty: the directory of the request's path
  std::optional<std::chrono::system_clock::time_point> expires;
  std::optional<std::chrono::seconds> max_age;  // 0 or less: expires at once
  bool secure = false;
  bool http_only = false;
  bool partitioned = false;
  SameSite same_site = SameSite::unset;

  bool operator==(const SetCookie&) const = default;
};

// A cookie that cannot be sent, or that every browser refuses.
class CookieError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// The value of a Set-Cookie header, with attributes in alphabetical order (WEB-85). A value with other
// characters than token characters and colons is quoted and escaped. It must be UTF-8 text without
// characters above U+00FF (WEB-84). Throws CookieError:
// - for a name that is not is_cookie_name(), control characters or spaces in the value (WEB-81), control
//   characters or `;` in an attribute (WEB-82, SEC-33);
// - for `__Secure-` or SameSite=None or Partitioned without Secure, `__Host-` without Secure and the path `/`
//   or with a domain (RFC 6265bis, 4.1.3; SEC-48).
std::string format_set_cookie(const SetCookie& cookie);

// The Set-Cookie value that deletes a cookie. Path and domain must be the same as when the cookie was set
// (WEB-86).
std::string format_clear_cookie(SetCookie cookie, std::chrono::system_clock::time_point now);

// Parses the value of a Set-Cookie header as a client (RFC 6265, 5.2). nullopt for a header that a client
// ignores: without `=` or a name, with control characters, or with more than 4096 bytes of name and value
// (RFC 6265bis, 5.6). The value keeps its quotes; the domain becomes lower case without its leading dot;
// the path is empty unless it begins with a slash. Unknown and malformed attributes are ignored; of a
// repeated attribute the last one counts.
std::optional<SetCookie> parse_set_cookie(std::string_view header);

// The date of an Expires attribute, whose rules differ from parse_date()'s (RFC 6265, 5.1.1).
std::optional<std::chrono::system_clock::time_point> parse_cookie_date(std::string_view text) noexcept;

}  // namespace squall::http
