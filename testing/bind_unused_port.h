#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <cstdint>
#include <string>

namespace squall::testing {

struct BoundPort {
  OwnedFd socket;  // non-blocking and listening
  std::uint16_t port;
};

// A listening socket on a free port, for servers under test: see TCPServer::add_socket(). `address` is a
// numeric address; default IPv4 loopback (TST-02). Throws std::system_error.
BoundPort bind_unused_port(const std::string& address = "127.0.0.1");
// As bind_unused_port(), with SO_REUSEPORT, so that other sockets may bind the port too.
BoundPort bind_reusable_port(const std::string& address = "127.0.0.1");

}  // namespace squall::testing
