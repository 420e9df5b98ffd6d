#pragma once

#include <string_view>

namespace squall::http {

// RFC 9110's name of a status code, `Unknown` for one it does not name.
std::string_view reason_phrase(int status) noexcept;

// `HTTP/1.1 200 OK\r\n`, for the codes reason_phrase() knows; empty for others.
std::string_view find_status_line(int status) noexcept;
inline std::string_view status_line(int status) noexcept {
  return status == 200 ? "HTTP/1.1 200 OK\r\n" : find_status_line(status);
}

// Responses to HEAD aside, these have no body (RFC 9110, 6.4.1).
constexpr bool status_forbids_body(int status) noexcept {
  return (status >= 100 && status < 200) || status == 204 || status == 304;
}

}  // namespace squall::http
