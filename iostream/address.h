#pragma once

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace squall {

// Where a socket is, or its peer: an IPv4 or IPv6 address and a port. Anything else, a Unix socket's peer
// among it, is the unknown address.
class Address {
 public:
  Address() noexcept : storage_{} {}
  // What a socket call filled in.
  Address(const sockaddr* address, socklen_t length) noexcept;
  // Unknown if the call fails.
  static Address local_of(int fd) noexcept;
  static Address peer_of(int fd) noexcept;

  int family() const noexcept { return storage_.any.sa_family; }
  // The numeric address, without brackets: `127.0.0.1`, `::1`, `fe80::1%2`. `0.0.0.0` if unknown (HSV-20).
  std::string ip() const;
  // 0 if unknown.
  std::uint16_t port() const noexcept;
  // `127.0.0.1:8888`, `[::1]:8888`, `unknown`.
  std::string to_string() const;

  const sockaddr* data() const noexcept { return &storage_.any; }
  socklen_t size() const noexcept;

 private:
  union Storage {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  Storage storage_;
};

}  // namespace squall

// As to_string(): for log lines, which must not fail before they are made.
template <>
struct fmt::formatter<squall::Address> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(const squall::Address& address, Context& context) const {
    return fmt::formatter<fmt::string_view>::format(address.to_string(), context);
  }
};
