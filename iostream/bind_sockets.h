#pragma once

#include <squall/ioloop/owned_fd.h>

#include <cstdint>
#include <string>
#include <vector>

namespace squall {

struct ListenOptions {
  // All interfaces if empty; a name stands for all of its addresses (NET-02).
  std::string address;
  int family = 0;  // AF_INET or AF_INET6; 0 for both
  int backlog = 4096;
  // Several sockets, in this process or others, share the port, and the kernel spreads connections over them.
  bool reuse_port = false;
};

// Listening, non-blocking sockets on `port`, one for each address that `options` names, IPv4 before IPv6.
// With port 0 the system chooses one, the same for all (NET-04). IPv6 sockets take no IPv4 connections, so
// both families can be had side by side (NET-03). A family the kernel lacks is left out (NET-05).
//
// Looking up a name blocks. Throws std::system_error that names the address and port.
std::vector<OwnedFd> bind_sockets(std::uint16_t port, const ListenOptions& options = {});

}  // namespace squall
