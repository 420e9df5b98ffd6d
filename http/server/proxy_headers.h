#pragma once

#include <squall/http/message/headers.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/address/network.h>

#include <utility>
#include <vector>

namespace squall::http {

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

  // With no `trusted_peers` everybody is believed.
  ProxyHeaders(std::vector<Network> trusted_peers, std::vector<Network> trusted_downstream)
      : trusted_peers_(std::move(trusted_peers)), trusted_downstream_(std::move(trusted_downstream)) {}

  // `peer` and `secure` are the connection's own, and what a client is that no field tells of.
  Client client_of(const Address& peer, bool secure, const Headers& headers) const;

 private:
  std::vector<Network> trusted_peers_;
  std::vector<Network> trusted_downstream_;
};

}  // namespace squall::http
