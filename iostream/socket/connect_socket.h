#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/address/address.h>

#include <cstdint>
#include <optional>
#include <string>

namespace squall {

// This side's address and port of a connection (TCL-03). The system chooses those that are none.
struct LocalEnd {
  std::optional<Address> address{};
  std::optional<std::uint16_t> port{};
};

// One attempt at a TCP connection: a non-blocking, close-on-exec socket that is connected. It waits as long
// as the system does, two minutes and more, so who uses it sets a deadline. TCPClient is what programs want.
//
// Errors:    std::system_error with the reason of the system. A socket that got connected to itself, as may
//            happen where nobody listens on a port that the system hands out, is ECONNREFUSED.
Task<OwnedFd> connect_socket(Address peer, LocalEnd local);
// The same over a Unix socket, by a name as UnixAddress takes it, which throws std::invalid_argument for what
// is none. While the listener's queue is full it waits, as a blocking connect() does.
Task<OwnedFd> connect_unix_socket(std::string path);

}  // namespace squall
