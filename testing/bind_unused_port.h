#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <cstdint>
#include <string>

namespace squall::testing {

struct BoundPort {
  OwnedFd socket;  // non-blocking and listening
  std::uint16_t port;
};

// A listening socket on a port that nobody has: for servers under test, through TCPServer::add_socket(). IPv4
// loopback unless `address` says otherwise (TST-02). Throws std::system_error.
BoundPort bind_unused_port(const std::string& address = "127.0.0.1");
// The same with SO_REUSEPORT, so that others may bind the port as well.
BoundPort bind_reusable_port(const std::string& address = "127.0.0.1");

}  // namespace squall::testing
