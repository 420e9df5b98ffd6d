#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace squall::http {

// Reads the value of a Content-Length field (RFC 9110, 8.6): decimal digits and nothing else.
//
// Result:    std::nullopt for an empty value, for any other character (such as a sign, a blank or a comma),
//            and for a number that does not fit into 64 bits.
// Thread:    any.
inline std::optional<std::uint64_t> parse_content_length(std::string_view value) noexcept {
  std::uint64_t length = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, length);
  if (error != std::errc() || stop != end) return std::nullopt;
  return length;
}

}  // namespace squall::http
