#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/iostream/address/network.h>
#include <squall/iostream/stream/iostream.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace squall {

// Which peers are proxies that send PROXY headers: see TCPServer, "Behind a proxy".
struct ProxyProtocolOptions {
  // Whether connections of other peers are served, without a header, or refused.
  enum class Others { are_served, are_refused };

  // Peers that begin each connection with a PROXY header. If it is empty and trust_unix_peers is false, the
  // protocol is off.
  std::vector<Network> trusted{};
  // Peers of Unix sockets are trusted too: the mode of the socket's file decides which processes may connect.
  bool trust_unix_peers = false;
  Others others = Others::are_served;
  // The time for the whole header; the connection is closed at its end. Positive.
  TimeSpan timeout = std::chrono::seconds(3);

  bool is_on() const noexcept { return trust_unix_peers || !trusted.empty(); }
  bool trusts(const Address& peer) const noexcept {
    return peer.is_unix() ? trust_unix_peers : contains(trusted, peer);
  }
};

// Limits of a TCPServer.
struct TCPServerOptions {
  IOStream::Options stream{};
  // The most open connections; further connections wait in the kernel until one ends. The default is the
  // process's limit of descriptors (RLIMIT_NOFILE, read by the constructor), less 64 or less an eighth,
  // whichever is less. So a full server can still open files and connections of its own. Not 0.
  std::optional<std::size_t> max_connections{};
  // The most open connections of one address; further connections are closed at once. IPv6 addresses with
  // the same first 64 bits are one address. Behind a proxy the client's address counts. Unknown addresses
  // and Unix sockets have no limit. The default is no limit, because clients behind a NAT, or a proxy
  // without the PROXY protocol, share an address. Not 0.
  std::optional<std::size_t> max_connections_per_address{};
  ProxyProtocolOptions proxy_protocol{};
};

}  // namespace squall
