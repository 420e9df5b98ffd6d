#pragma once

#include <squall/iostream/tcp/proxy_protocol.h>

#include <cstdint>
#include <string>
#include <string_view>

// Headers of the PROXY protocol, version 2.
namespace squall::testing {

inline std::string big_endian(std::size_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
  return text;
}

inline std::string tlv(int type, std::string_view value) {
  return static_cast<char>(type) + big_endian(value.size(), 2) + std::string(value);
}

inline std::string v2(int version_and_command, int family_and_transport, std::string_view rest) {
  return std::string("\r\n\r\n\0\r\nQUIT\n", 12) + static_cast<char>(version_and_command) +
         static_cast<char>(family_and_transport) + big_endian(rest.size(), 2) + std::string(rest);
}
inline std::string v2_ipv4(std::string_view rest) { return v2(0x21, 0x11, rest); }

// Computed bit by bit, unlike in the library.
inline std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc;
}

// An IPv4 header with a checksum between `before` and `after`.
inline std::string checksummed(std::string_view before, std::string_view after) {
  const auto with = [&](std::string_view sum) {
    return v2_ipv4(std::string(before) + tlv(ProxyTlv::crc32c, sum) + std::string(after));
  };
  return with(big_endian(crc32c(with(std::string(4, '\0'))), 4));
}

}  // namespace squall::testing
