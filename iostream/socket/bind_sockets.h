#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace squall {

struct ListenOptions {
  // All interfaces if empty; a name stands for all of its addresses (NET-02).
  std::string address;
  int family = AF_UNSPEC;  // AF_INET or AF_INET6 alone
  // Connections that wait to be accepted; the system's own limit (net.core.somaxconn) may be lower.
  int backlog = 4096;
  // Several sockets, in this process or others, share the port, and the kernel spreads connections over them.
  bool reuse_port = false;
  // TCP_DEFER_ACCEPT: a connection is not accepted before its first bytes have come, or so much time has
  // passed, in whole seconds, rounded up. For protocols in which the client speaks first.
  std::optional<std::chrono::nanoseconds> defer_accept;
  // TCP_FASTOPEN (RFC 7413): a client that was here before may send bytes along with its connection request,
  // which must not matter if they come twice. So many such requests may be underway; 0: none. The system
  // has to allow it too (net.ipv4.tcp_fastopen).
  std::optional<int> fast_open;
};

// Listening, non-blocking sockets on `port`, one for each address that `options` names, IPv4 before IPv6
// (NET-01). With port 0 the system chooses one, the same for all (NET-04). IPv6 sockets take no IPv4
// connections, so both families can be had side by side (NET-03). A family the kernel lacks is left out, and
// so is the ::1 of `localhost` where IPv6 is half disabled (NET-05). What is accepted sends small writes at
// once (TCP_NODELAY).
//
// Blocks the thread while it looks up a name.
//
// Errors:    ResolveError if the name has no address; std::system_error that names the address and port, or
//            the option that the system refuses; EADDRNOTAVAIL if no address is left.
std::vector<OwnedFd> bind_sockets(std::uint16_t port, const ListenOptions& options = {});

}  // namespace squall
