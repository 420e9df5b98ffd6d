#pragma once

#include <squall/http/headers.h>
#include <squall/iostream/address.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::http {

// Addresses and networks: `10.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`. An IPv4 address that comes in IPv6's
// clothes (`::ffff:10.0.0.1`) is that IPv4 address.
class NetworkList {
 public:
  // Throws std::invalid_argument, which names it, for what is none of these.
  explicit NetworkList(const std::vector<std::string>& networks);

  bool empty() const noexcept { return networks_.empty(); }
  bool contains(const Address& address) const noexcept;

 private:
  struct Network {
    std::array<unsigned char, 16> bytes;
    unsigned prefix;  // of those 128 bits
  };
  std::vector<Network> networks_;
};

// `127.0.0.1`, `::1`: an address without a port. None if the text is not one.
std::optional<Address> parse_ip(std::string_view text);

// Who the client is, as told by the proxies between it and us (HSV-22, HSV-23).
//
// X-Forwarded-For is read from the right, past the proxies we know, to the first address that is not one of
// them; X-Real-Ip goes before it. X-Scheme goes before the last value of X-Forwarded-Proto. What is no
// address and no protocol changes nothing.
class ProxyHeaders {
 public:
  struct Client {
    Address address;
    bool secure;
    bool trusted;  // the peer is one that is believed
  };

  // With no `trusted_peers` everybody is believed. Throws std::invalid_argument.
  ProxyHeaders(const std::vector<std::string>& trusted_peers,
               const std::vector<std::string>& trusted_downstream);

  // `peer` and `secure` are the connection's own, and what a client is that no field tells of.
  Client client_of(const Address& peer, bool secure, const Headers& headers) const;

 private:
  NetworkList trusted_peers_;
  NetworkList trusted_downstream_;
};

}  // namespace squall::http
