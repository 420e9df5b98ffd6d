#pragma once

#include <squall/iostream/address/address.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace squall {

// A range of IP addresses: those whose first so many bits are the same.
//
// IPv4 addresses that are mapped into IPv6 count as IPv4, here and in what is asked for. So ::/0 is all of
// IPv6, and none of IPv4.
class Network {
 public:
  // `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits beyond the prefix do not count: 127.0.0.1/8 is
  // 127.0.0.0/8. Throws std::invalid_argument, which names the text.
  explicit Network(std::string_view text);
  // None instead.
  static std::optional<Network> parse(std::string_view text) noexcept;

  // False for what is no IP address.
  bool contains(const Address& address) const noexcept;
  // `10.0.0.0/8`
  std::string to_string() const;

  friend bool operator==(const Network&, const Network&) noexcept = default;

 private:
  Network() noexcept = default;

  std::array<char, 16> bytes_{};  // zero beyond the prefix
  std::uint8_t size_ = 0;         // of an address: 4 or 16
  std::uint8_t prefix_ = 0;       // in bits
};

// Whether one of them does.
bool contains(std::span<const Network> networks, const Address& address) noexcept;

}  // namespace squall
