#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace squall::http {

// The header names that the library itself uses, found in constant time.
enum class HeaderId : std::uint8_t {
  other,
  connection,
  content_length,
  content_type,
  cookie,
  date,
  etag,
  expect,
  host,
  server,
  transfer_encoding,
};
inline constexpr std::size_t kHeaderIds = 11;

// `other` for all other names. `name` must be a token.
HeaderId header_id(std::string_view name) noexcept;

}  // namespace squall::http
