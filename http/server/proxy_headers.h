#pragma once

#include <squall/http/message/headers.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/address/network.h>

#include <utility>
#include <vector>

namespace squall::http {

// The client's address and protocol, as the proxies before the server report them (HSV-22, HSV-23).
//
// X-Forwarded-For is read from the right to the first address that is not a known proxy; X-Real-Ip has
// precedence over it. X-Scheme has precedence over the last value of X-Forwarded-Proto. A value that is not
// an address or a protocol is ignored.
class ProxyHeaders {
 public:
  struct Client {
    Address address;
    bool secure;
    bool trusted;  // the peer is a trusted proxy
  };

  // If `trusted_peers` is empty, every peer is trusted.
  ProxyHeaders(std::vector<Network> trusted_peers, std::vector<Network> trusted_downstream)
      : trusted_peers_(std::move(trusted_peers)), trusted_downstream_(std::move(trusted_downstream)) {}

  // `peer` and `secure` describe the connection. The result has them unless a header replaces them.
  Client client_of(const Address& peer, bool secure, const Headers& headers) const;

 private:
  std::vector<Network> trusted_peers_;
  std::vector<Network> trusted_downstream_;
};

}  // namespace squall::http
