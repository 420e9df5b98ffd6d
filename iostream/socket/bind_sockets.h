#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/base/time_span.h>

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace squall {

// How to bind TCP sockets.
struct ListenOptions {
  // An address, or a name for all of its addresses (NET-02); empty for all interfaces.
  std::string address{};
  int family = AF_UNSPEC;  // AF_INET or AF_INET6 alone
  // Connections that wait to be accepted; the system's limit (net.core.somaxconn) may be lower.
  int backlog = 4096;
  // SO_REUSEPORT: several sockets, in this process or others, bind the same port, and the kernel distributes
  // connections over them.
  bool reuse_port = false;
  // TCP_DEFER_ACCEPT: a connection waits in the kernel until its first bytes arrive or this time has passed,
  // rounded up to seconds, at least one. For protocols in which the client speaks first. nullopt: the
  // connection does not wait.
  std::optional<TimeSpan> defer_accept{};
  // TCP_FASTOPEN (RFC 7413): a client may send bytes with its connection request, which may arrive twice.
  // The value limits the requests under way; nullopt: off. The system must allow it too
  // (net.ipv4.tcp_fastopen).
  std::optional<int> fast_open{};
};

// Binds a listening, non-blocking socket to `port` of each address that `options` names, IPv4 before IPv6
// (NET-01). For port 0 the system chooses a port, the same for all (NET-04). IPv6 sockets accept no IPv4
// connections, so both families can listen on one port (NET-03). A family that the kernel does not have is
// skipped, and so is the ::1 of `localhost` if the interface has no IPv6 address (NET-05). Accepted
// connections have TCP_NODELAY.
//
// Blocks the thread while it looks up a name.
//
// Errors:    ResolveError if the name has no address; std::system_error that names the address and port, or
//            the option that the system refuses; EADDRNOTAVAIL if no address is left.
std::vector<OwnedFd> bind_sockets(std::uint16_t port, const ListenOptions& options = {});

}  // namespace squall
