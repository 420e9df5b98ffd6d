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

// Where a socket is, or its peer: an IPv4 or IPv6 address and a port, or a Unix socket, whose name it leaves
// out, as peers have none (UnixAddress knows names). Anything else is the unknown address.
//
// Small and trivially copied, as a server keeps one for each idle connection.
class Address {
 public:
  Address() noexcept : storage_{} {}
  // What a socket call filled in.
  Address(const sockaddr* address, socklen_t length) noexcept;
  // Unknown if the call fails.
  static Address local_of(int fd) noexcept;
  static Address peer_of(int fd) noexcept;

  // `127.0.0.1:80`, `[::1]:80`, `[fe80::1%2]:80`: what to_string() gives. Names are not looked up.
  static std::optional<Address> parse(std::string_view text) noexcept;
  // `127.0.0.1`, `::1`, `fe80::1%2`: what ip() gives. Four decimal numbers without leading zeros, or RFC
  // 4291, 2.2, in any of its forms; a scope is a number.
  static std::optional<Address> parse_ip(std::string_view ip, std::uint16_t port = 0) noexcept;
  // 4 bytes or 16, in network order; unknown if there are others.
  static Address from_bytes(std::string_view ip, std::uint16_t port) noexcept;

  int family() const noexcept { return storage_.any.sa_family; }
  bool is_ip() const noexcept { return family() == AF_INET || family() == AF_INET6; }
  bool is_unix() const noexcept { return family() == AF_UNIX; }
  // The numeric address, without brackets: `127.0.0.1`, `::1`, `fe80::1%2`. `0.0.0.0` if it is none (HSV-20).
  std::string ip() const;
  // 0 if it is none.
  std::uint16_t port() const noexcept;
  // `127.0.0.1:8888`, `[::1]:8888`, `unix`, `unknown`.
  std::string to_string() const;
  // The 4 or 16 bytes of the IP address, in network order; none if it is none. A view of this object.
  std::string_view ip_bytes() const noexcept;

  Address with_port(std::uint16_t port) const noexcept;
  // IPv4 for an IPv6 address that stands for one (::ffff:127.0.0.1, RFC 4291, 2.5.5.2), else the same.
  Address unmapped() const noexcept;

  const sockaddr* data() const noexcept { return &storage_.any; }
  // 0 if it is no IP address: nothing can be bound or connected to it.
  socklen_t size() const noexcept;

  // By family, address, port and scope. All Unix sockets are equal.
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

// A numeric IPv4 or IPv6 address and nothing else (NET-20), as Address::parse_ip() takes it.
inline bool is_valid_ip(std::string_view text) noexcept { return Address::parse_ip(text).has_value(); }

}  // namespace squall

template <>
struct std::hash<squall::Address> {
  std::size_t operator()(const squall::Address& address) const noexcept;
};

// As to_string(), for `{}`: the text is made where a failure to make it cannot fail the caller of a log
// function.
template <>
struct fmt::formatter<squall::Address> {
  constexpr auto parse(fmt::format_parse_context& context) const { return context.begin(); }
  fmt::format_context::iterator format(const squall::Address& address, fmt::format_context& context) const;
};
