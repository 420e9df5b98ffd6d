#pragma once

#include <squall/http/message/headers.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/address/network.h>

#include <string>
#include <string_view>
#include <vector>

namespace squall::http {

// The client's address and protocol, as the proxies before the server report them (HSV-22, HSV-23).
//
// The fields that Options names are read, and no others; if it names none, X-Real-Ip has precedence over
// X-Forwarded-For, and X-Scheme over X-Forwarded-Proto. A list of addresses is read from the right to the
// first address that is not a known proxy. Of a list of protocols the last one counts. In Forwarded (RFC
// 7239) the element of that address also has the protocol. A value that is not an address or a protocol
// (`unknown`, `_hidden`) is ignored.
class ProxyHeaders {
 public:
  struct Options {
    std::vector<Network> trusted_peers{};  // empty: every peer is trusted
    std::vector<Network> trusted_downstream{};
    std::string address_field{};
    std::string protocol_field{};
  };
  struct Client {
    Address address;  // with the client's port, if the proxy sends it
    bool secure;
    bool trusted;  // the peer is a trusted proxy
  };

  // Throws std::invalid_argument for a field name that is not a token.
  explicit ProxyHeaders(Options options);

  // `peer` and `secure` describe the connection. The result has them unless a field replaces them.
  Client client_of(const Address& peer, bool secure, const Headers& headers) const;

 private:
  struct Hop;

  Hop hop_of_list(std::string_view list) const;
  Hop hop_of_forwarded(const Headers& headers) const;
  bool is_known_proxy(const Hop& hop) const noexcept;

  Options options_;
  bool has_names_;  // Options names a field
  bool reads_forwarded_address_;
  bool reads_forwarded_protocol_;
};

}  // namespace squall::http
