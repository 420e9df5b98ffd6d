#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace squall::http {

// The methods that have a verb of a handler (RFC 9110, 9; RFC 5789; RFC 10008); `other` is any other
// registered method (IANA's registry).
enum class Method : std::uint8_t { get, head, post, put, delete_, patch, options, query, other };
inline constexpr std::size_t kMethodCount = 8;  // without `other`

// `GET`. Empty for `other`.
constexpr std::string_view method_name(Method method) noexcept {
  constexpr std::string_view kNames[] = {"GET",   "HEAD",    "POST",  "PUT", "DELETE",
                                         "PATCH", "OPTIONS", "QUERY", ""};
  return kNames[static_cast<std::size_t>(method)];
}

// Whether a request of this method has content (RFC 9110, 9.3; RFC 10008, 2).
constexpr bool expects_content(std::string_view method) noexcept {
  return method == "POST" || method == "PUT" || method == "PATCH" || method == "QUERY";
}

// Whether a repeated request has the effect of one (RFC 9110, 9.2.2; RFC 10008, 2).
constexpr bool is_idempotent(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS" || method == "TRACE" || method == "QUERY";
}

}  // namespace squall::http
