#pragma once

#include <squall/http/message/headers.h>

#include <cstdint>
#include <string_view>

// The rules of RFC 9112 for a request's head that llhttp leaves to its user. Pure functions.
namespace squall::http {

// The status and reason of a request that is refused. Status 0: the request is not refused.
struct Refusal {
  int status = 0;
  std::string_view reason;

  explicit operator bool() const noexcept { return status != 0; }
};

// True for a host with or without a port: a name, an IPv4 address, or an IPv6 address in brackets (RFC 3986,
// 3.2.2). An empty text is a host too, if it has no port: a target without authority has that host.
enum class Port { optional, required };
bool is_host(std::string_view text, Port port = Port::optional) noexcept;

// The parts of a request target, as views into the target (RFC 9112, 3.2).
struct Target {
  std::string_view authority;  // only of an absolute target and of CONNECT
  std::string_view path;       // up to the query; may be empty. All of the target of CONNECT
  std::string_view query;
};
// Splits a target of the form that `method` may have, and refuses any other: `*` is only for OPTIONS, and
// CONNECT has only host and port. An absolute target is of http or https, and has no user information.
//
// Paths and queries have the characters of RFC 3986, and those that browsers send unescaped: `[`, `]`, `^`
// and `|`, and in queries also the backslash, the backtick, `{`, `}`, and a `%` that begins no escape. All
// other characters are refused: `"`, `#`, `<`, `>`, control characters, and bytes outside ASCII.
Refusal split_target(std::string_view method, std::string_view target, Target& parts);

// Requires exactly one Host of legal characters; HTTP/1.0 may omit it (RFC 9112, 3.2; HUT-33).
Refusal check_host(const Headers& headers, int minor_version);

// Allows only `chunked`, once, and not in HTTP/1.0 (RFC 9112, 6.1 and 6.3).
Refusal check_transfer_encoding(const Headers& headers, int minor_version);

// Allows only `100-continue`; HTTP/1.0 cannot expect anything (RFC 9110, 10.1.1).
Refusal check_expect(const Headers& headers, int minor_version);

// True if the list fields of this name have the member `token`, in any case (RFC 9110, 5.6.1).
bool has_token(const Headers& headers, HeaderId id, std::string_view token) noexcept;

// The answer to a malformed request line: `line` is the received part, without its line end. A well-formed
// line with an unknown method gets 501, and one with a version other than HTTP/1.x gets 505.
Refusal judge_request_line(std::string_view line);

}  // namespace squall::http
