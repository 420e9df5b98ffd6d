#pragma once

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace squall {

// The address of a socket or of its peer: IPv4 or IPv6 with a port, a Unix socket without its name (see
// UnixAddress for names), or unknown.
//
// Trivially copied and as small as a sockaddr_in6, because a server keeps one for each idle connection.
//
// Thread:    any.
class Address {
 public:
  Address() noexcept : storage_{} {}
  // From the result of a socket call.
  Address(const sockaddr* address, socklen_t length) noexcept;
  // The addresses of a socket; unknown if the system call fails.
  static Address local_of(int fd) noexcept;
  static Address peer_of(int fd) noexcept;

  // Reads the form of to_string(): `127.0.0.1:80`, `[::1]:80`, `[fe80::1%2]:80`. Looks up no names.
  static std::optional<Address> parse(std::string_view text) noexcept;
  // Reads the form of ip(): `127.0.0.1`, `::1`, `fe80::1%2`. IPv4 is four decimal numbers without leading
  // zeros, IPv6 any form of RFC 4291, 2.2; a scope is a number.
  static std::optional<Address> parse_ip(std::string_view ip, std::uint16_t port = 0) noexcept;
  // `ip` is 4 or 16 bytes in network order; the address is unknown for any other size.
  static Address from_bytes(std::string_view ip, std::uint16_t port) noexcept;

  int family() const noexcept { return storage_.any.sa_family; }
  bool is_ip() const noexcept { return family() == AF_INET || family() == AF_INET6; }
  bool is_unix() const noexcept { return family() == AF_UNIX; }
  // The numeric address without brackets: `127.0.0.1`, `::1`, `fe80::1%2`; `0.0.0.0` unless is_ip() (HSV-20).
  std::string ip() const;
  // 0 unless is_ip().
  std::uint16_t port() const noexcept;
  // `127.0.0.1:8888`, `[::1]:8888`, `unix`, `unknown`.
  std::string to_string() const;
  // The 4 or 16 bytes of the IP address in network order, a view into this object; empty unless is_ip().
  std::string_view ip_bytes() const noexcept;

  Address with_port(std::uint16_t port) const noexcept;
  // The IPv4 address of an IPv4-mapped address (::ffff:127.0.0.1, RFC 4291, 2.5.5.2); any other address
  // unchanged.
  Address unmapped() const noexcept;

  const sockaddr* data() const noexcept { return &storage_.any; }
  // 0 unless is_ip(): such an address can be neither bound nor connected to.
  socklen_t size() const noexcept;

  // Order by family, address, port and scope. All Unix sockets are equal.
  friend bool operator==(const Address& a, const Address& b) noexcept { return (a <=> b) == 0; }
  friend std::strong_ordering operator<=>(const Address& a, const Address& b) noexcept;

 private:
  std::uint32_t scope() const noexcept { return family() == AF_INET6 ? storage_.v6.sin6_scope_id : 0; }

  union Storage {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  Storage storage_;
};

// Whether the last label of a host is a number: decimal digits, or `0x` and hexadecimal digits. No domain is
// a number. getaddrinfo() and curl read such a host as an IPv4 address, in octal, in hexadecimal or with
// parts left out: `010.0.0.1` would be 8.0.0.1. Code that takes a host refuses one that ends in a number
// unless Address::parse_ip() reads it, so that all code agrees on the address.
bool ends_in_number(std::string_view host) noexcept;

// Whether Address::parse_ip() reads the text (NET-20).
inline bool is_valid_ip(std::string_view text) noexcept { return Address::parse_ip(text).has_value(); }

}  // namespace squall

template <>
struct std::hash<squall::Address> {
  std::size_t operator()(const squall::Address& address) const noexcept;
};

// As to_string(), for `{}`. The text is made during formatting, so a failure cannot reach the caller of a
// log function.
template <>
struct fmt::formatter<squall::Address> {
  constexpr auto parse(fmt::format_parse_context& context) const { return context.begin(); }
  fmt::format_context::iterator format(const squall::Address& address, fmt::format_context& context) const;
};
