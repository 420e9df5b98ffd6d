#pragma once

#include <string_view>

namespace squall::http {

// The reason phrase of a registered status code, otherwise `Unknown`.
std::string_view reason_phrase(int status) noexcept;

// The status line of a registered code, `HTTP/1.1 200 OK\r\n`; empty for other codes.
std::string_view find_status_line(int status) noexcept;
inline std::string_view status_line(int status) noexcept {
  return status == 200 ? "HTTP/1.1 200 OK\r\n" : find_status_line(status);
}

// Whether a response of this status has no body for any request (RFC 9110, 6.4.1).
constexpr bool status_forbids_body(int status) noexcept {
  return (status >= 100 && status < 200) || status == 204 || status == 304;
}

}  // namespace squall::http
