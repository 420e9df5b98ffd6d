#pragma once

#include <fmt/format.h>

#include <string_view>

namespace squall::http {

class ServerRequest;

// The logged status of a request whose client went away before the answer: nginx's number.
inline constexpr int kClientGone = 499;

// Writes a line in the access log (WEB-204): `200 GET /users/1 (127.0.0.1) 0.42ms`, with ` id=...` behind it
// if the request has a known_id(). The status decides whether the line is information, a warning or an error.
// Never throws.
void log_access(const ServerRequest& request, int status) noexcept;

// Writes the line, a warning, of a request that the server has refused before the delegate saw it. A method
// or a target that was not received is `-`. `has_head`: all of the head was received. Never throws.
void log_refused(const ServerRequest& request, int status, bool has_head) noexcept;

// An argument of a logging call: prints ` id=...`, or nothing without an id. The text is made within the
// logging call, so that a failure does not reach the caller.
struct IdSuffix {
  std::string_view id;
};
// The suffix for request.known_id().
IdSuffix id_suffix(const ServerRequest& request) noexcept;

}  // namespace squall::http

// Takes no format specifier: `{}`.
template <>
struct fmt::formatter<squall::http::IdSuffix> {
  constexpr auto parse(fmt::format_parse_context& context) const { return context.begin(); }
  fmt::format_context::iterator format(squall::http::IdSuffix suffix, fmt::format_context& context) const;
};
