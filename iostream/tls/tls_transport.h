#pragma once

#include <squall/iostream/socket/pipe.h>
#include <squall/iostream/stream/transport.h>
#include <squall/iostream/tls/tls_certificate.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace squall {

class TLSContext;

// The transport of a TLS connection. IOStream::tls() returns it, for the negotiated facts.
//
// Before the handshake is done, the facts are empty, std::nullopt or false.
//
// Thread:    the stream's.
// Lifetime:  independent of the stream, and of the context it was made with.
// Errors:    a failed handshake throws TLSError; a connection without close_notify at its end fails with
//            StreamErrc::truncated.
class TLSTransport : public Transport {
 public:
  // Makes the transport of a server or of a client, as `context` says. A client checks that the certificate
  // is for `server_hostname`, and sends that name (SNI) unless it is an address. The key of its sessions is
  // that name and `port`. With the options' ktls the kernel encrypts if it can. Throws std::invalid_argument
  // if the context checks names and there is no name to check, and std::runtime_error if OpenSSL fails.
  static std::unique_ptr<TLSTransport> make(const TLSContext& context, std::string_view server_hostname = {},
                                            std::uint16_t port = 0, Channel channel = Channel::socket);

  // The protocol that ALPN agreed on.
  virtual std::string_view alpn() const noexcept = 0;
  // `TLSv1.3`.
  virtual std::string_view version() const noexcept = 0;
  // `TLS_AES_256_GCM_SHA384`.
  virtual std::string_view cipher() const noexcept = 0;
  // The host that the client asked for (SNI).
  virtual std::string_view server_name() const noexcept = 0;
  // The connection resumes a session of an earlier one.
  virtual bool session_reused() const noexcept = 0;
  // std::nullopt if the peer has sent no certificate. Unless the context verified the certificate, it
  // proves nothing.
  virtual std::optional<TLSPeerCertificate> peer_certificate() const = 0;
};

}  // namespace squall
