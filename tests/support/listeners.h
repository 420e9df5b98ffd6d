#pragma once

#include <squall/iostream/address/address.h>
#include <squall/iostream/address/resolver.h>
#include <squall/iostream/socket/socket.h>
#include <squall/testing/bind_unused_port.h>

#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "support/catch.h"

namespace squall::testing {

// Descriptors this process has open.
inline int count_descriptors() {
  DIR* const directory = ::opendir("/proc/self/fd");
  REQUIRE(directory);
  int count = -3;  // `.`, `..`, and the directory itself
  while (::readdir(directory)) ++count;
  ::closedir(directory);
  return count;
}

// A socket that listens on loopback.
class Listener {
 public:
  explicit Listener(const std::string& ip = "127.0.0.1") : bound_(bind_unused_port(ip)) {}

  std::uint16_t port() const noexcept { return bound_.port; }
  Address address() const noexcept { return Address::local_of(bound_.socket.get()); }
  int fd() const noexcept { return bound_.socket.get(); }
  // The next connection; empty if there is no connection.
  Accepted accept() const { return accept_from(bound_.socket.get()); }

 private:
  BoundPort bound_;
};

// A listener that does not answer: its queue is full, and the kernel drops further connections.
class DeafListener {
 public:
  explicit DeafListener(const std::string& ip = "127.0.0.1") : bound_(bind_unused_port(ip)) {
    REQUIRE(::listen(bound_.socket.get(), 0) == 0);
    const Address where = address();
    // The queue holds one connection, sometimes two.
    for (int i = 0; i < 8; ++i) {
      OwnedFd fd(::socket(where.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      REQUIRE(fd);
      ::connect(fd.get(), where.data(), where.size());
      pollfd state{fd.get(), POLLOUT, 0};
      const bool is_deaf = ::poll(&state, 1, i == 0 ? 2000 : 100) == 0;
      waiting_.push_back(std::move(fd));
      if (is_deaf) return;
    }
    FAIL("this listener answers all");
  }

  std::uint16_t port() const noexcept { return bound_.port; }
  Address address() const noexcept { return Address::local_of(bound_.socket.get()); }

 private:
  BoundPort bound_;
  std::vector<OwnedFd> waiting_;
};

// An address without a listener: the port is bound, so no other socket can listen on it. A socket may still
// use the port as its local port: at any address, if this socket is bound to all.
class DeadEnd {
 public:
  explicit DeadEnd(const std::string& ip = "127.0.0.1") {
    const std::optional<Address> any_port = numeric_address(ip, 0);
    REQUIRE(any_port);
    fd_.reset(::socket(any_port->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    REQUIRE(::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    REQUIRE(::bind(fd_.get(), any_port->data(), any_port->size()) == 0);
  }

  std::uint16_t port() const noexcept { return address().port(); }
  Address address() const noexcept { return Address::local_of(fd_.get()); }

 private:
  OwnedFd fd_;
};

// The name of the loopback interface.
inline std::string loopback_interface() {
  for (const char* const name : {"lo", "lo0"})
    if (is_network_interface(name)) return name;
  FAIL("no loopback interface");
  return "";
}

inline bool has_ipv6() {
  try {
    bind_unused_port("::1");
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace squall::testing
