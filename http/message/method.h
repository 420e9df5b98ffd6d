#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace squall::http {

// The methods that a handler can implement; `other` is any other registered method (RFC 9110, 9, and IANA's
// registry).
enum class Method : std::uint8_t { get, head, post, put, delete_, patch, options, other };
inline constexpr std::size_t kMethodCount = 7;  // without `other`

// `GET`. Empty for `other`.
constexpr std::string_view method_name(Method method) noexcept {
  constexpr std::string_view kNames[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", ""};
  return kNames[static_cast<std::size_t>(method)];
}

}  // namespace squall::http
