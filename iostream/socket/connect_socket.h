#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/address/address.h>

#include <cstdint>
#include <optional>
#include <string>

namespace squall {

// This side's address, port and network interface of a connection (TCL-03). The system chooses what is not
// set.
struct LocalEnd {
  std::optional<Address> address{};
  std::optional<std::uint16_t> port{};
  std::optional<std::string> interface{};
};

// Makes one attempt at a TCP connection. The attempt may take as long as the system's timeout, two minutes
// and more, so callers need a deadline. Programs use TCPClient, which has one.
//
// Result:    a connected, non-blocking, close-on-exec socket.
// Errors:    std::system_error with the system's reason. ECONNREFUSED also for a socket that is connected
//            to itself: the system may choose the peer's unused port as the local port.
Task<OwnedFd> connect_socket(Address peer, LocalEnd local);
// The same for a Unix socket. Waits while the listener's queue is full, as a blocking connect() does.
// `name` is the argument of UnixAddress, whose constructor throws std::invalid_argument for a malformed
// name.
Task<OwnedFd> connect_unix_socket(std::string name);

}  // namespace squall
