#pragma once

#include <squall/iostream.h>
#include <squall/testing/certificates.h>

#include <string>
#include <utility>
#include <vector>

#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::testing {

// A certificate authority, the context of a server with its certificate, and the context of a client that
// trusts it.
struct TLSSides {
  TLSSides() {
    server_options.certificates.push_back(authority.issue());
    client_options.ca_pem = authority.pem();
  }
  TLSContext server() const { return TLSContext::server(server_options); }
  TLSContext client() const { return TLSContext::client(client_options); }

  CertificateAuthority authority;
  TLSServerOptions server_options;
  TLSClientOptions client_options;
};

// A port for repeated connections: a TLS client finds its session by the port.
class ListeningPort {
 public:
  ListeningPort() : sockets_(bind_sockets(0, loopback())) {}
  std::pair<IOStream, IOStream> connect(IOLoop& loop) {
    RawPeer raw(Address::local_of(sockets_[0].get()).port());
    return {IOStream(OwnedFd(::dup(raw.fd())), loop), IOStream(accept_from(sockets_[0].get()).fd, loop)};
  }

 private:
  static ListenOptions loopback() {
    ListenOptions options;
    options.address = "127.0.0.1";
    return options;
  }
  std::vector<OwnedFd> sockets_;
};

inline Task<> secure(IOStream& stream, TLSContext context, std::string host = {}) {
  co_await stream.start_tls(context, host);
}

inline Task<> secure_both(IOStream& client, IOStream& server, const TLSContext& client_context,
                          const TLSContext& server_context, std::string host = "localhost") {
  HandshakeAwaiter done = server.start_tls(server_context);
  co_await client.start_tls(client_context, host);
  co_await done;
}

}  // namespace squall::testing
