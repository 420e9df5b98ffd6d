#pragma once

#include <squall/http/message/headers.h>

#include <cstdint>
#include <string_view>

// What RFC 9112 asks of a request's head and llhttp leaves to its user. Pure functions: text in, verdicts
// out.
namespace squall::http {

// Why a request is refused, and how to answer it. Status 0: it is not.
struct Refusal {
  int status = 0;
  std::string_view reason;

  explicit operator bool() const noexcept { return status != 0; }
};

// A host, and perhaps a port: a name, an IPv4 address, or an IPv6 one in brackets (RFC 3986, 3.2.2). Empty is
// one as well, without a port: that of a target that has none.
enum class Port { optional, required };
bool is_host(std::string_view text, Port port = Port::optional) noexcept;

// A request target taken apart; views into it (RFC 9112, 3.2).
struct Target {
  std::string_view authority;  // of an absolute target and of CONNECT
  std::string_view path;       // up to the query, empty if there is none
  std::string_view query;
};
Refusal split_target(std::string_view method, std::string_view target, Target& parts);

// Exactly one Host, of legal characters; HTTP/1.0 may leave it out (RFC 9112, 3.2; HUT-33).
Refusal check_host(const Headers& headers, int minor_version);

// Nothing but `chunked`, once, and not in HTTP/1.0 (RFC 9112, 6.1 and 6.3).
Refusal check_transfer_encoding(const Headers& headers, int minor_version);

// Nothing but `100-continue`; HTTP/1.0 cannot expect anything (RFC 9110, 10.1.1).
Refusal check_expect(const Headers& headers, int minor_version);

// Whether the fields of a name, which are lists, have this member, in any case (RFC 9110, 5.6.1).
bool has_token(const Headers& headers, HeaderId id, std::string_view token) noexcept;

// How to answer a request line that is not one: `line` is what there is of it, without its line end. Well
// formed apart from a method or version we do not know, it gets 501 or 505.
Refusal judge_request_line(std::string_view line);

}  // namespace squall::http
