#pragma once

#include <squall/iostream/address/address.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace squall {

// A range of IP addresses that share a prefix.
//
// An IPv4-mapped IPv6 address counts as the IPv4 address, in a network's text and in contains(). So ::/0
// contains all IPv6 addresses and no IPv4 address.
//
// Thread:    any.
class Network {
 public:
  // `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits behind the prefix are cleared: 127.0.0.1/8 is
  // 127.0.0.0/8. Throws std::invalid_argument that quotes the text.
  explicit Network(std::string_view text);
  // nullopt for a malformed text.
  static std::optional<Network> parse(std::string_view text) noexcept;

  // False unless address.is_ip().
  bool contains(const Address& address) const noexcept;
  // `10.0.0.0/8`
  std::string to_string() const;

  friend bool operator==(const Network&, const Network&) noexcept = default;

 private:
  Network() noexcept = default;

  std::array<char, 16> bytes_{};  // zero behind the prefix
  std::uint8_t size_ = 0;         // the size of an address: 4 or 16
  std::uint8_t prefix_ = 0;       // in bits
};

// Whether one of the networks contains the address.
bool contains(std::span<const Network> networks, const Address& address) noexcept;

}  // namespace squall
