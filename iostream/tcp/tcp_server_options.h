#pragma once

#include <squall/iostream/address/network.h>
#include <squall/iostream/stream/iostream.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace squall {

// Whose word to take for where a connection comes from: see TCPServer, "Behind a proxy".
struct ProxyProtocolOptions {
  // What others do: are served as if there were no such protocol, or are refused.
  enum class Others { are_served, are_refused };

  // Peers that begin each connection with a PROXY header. Nobody: the protocol is off.
  std::vector<Network> trusted;
  // Whoever connects to a Unix socket too: its file says who may.
  bool trust_unix_peers = false;
  Others others = Others::are_served;
  // For the whole header to arrive; the connection is closed then.
  std::chrono::nanoseconds timeout = std::chrono::seconds(3);

  bool is_on() const noexcept { return trust_unix_peers || !trusted.empty(); }
  bool trusts(const Address& peer) const noexcept {
    return peer.is_unix() ? trust_unix_peers : contains(trusted, peer);
  }
};

struct TCPServerOptions {
  IOStream::Options stream;
  // Open at the same time; more wait in the kernel until one ends. By default what the process may open
  // (RLIMIT_NOFILE, as it is when the server is made) less 64, or an eighth if that is less, so that a server
  // full of clients can still open files and connections of its own. Not 0.
  std::optional<std::size_t> max_connections{};
  // The same from one address; more are closed at once. An IPv6 address counts by its first 64 bits. Behind a
  // proxy the client's address counts; one that is not known, and Unix sockets, are not limited. By default
  // there is no limit: behind a NAT, or a proxy without the PROXY protocol, many clients share an address.
  // Not 0.
  std::optional<std::size_t> max_connections_per_address{};
  ProxyProtocolOptions proxy_protocol{};
};

}  // namespace squall
