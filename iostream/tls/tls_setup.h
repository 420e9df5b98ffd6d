#pragma once

#include <squall/iostream/tls/openssl.h>
#include <squall/iostream/tls/tls_options.h>
#include <squall/iostream/tls/tls_pem.h>
#include <squall/iostream/tls/tls_sessions.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace squall {

// The result of reading a TLSContext's files once: an SSL_CTX for each certificate, and the certificate's
// host names; and a client's sessions. Immutable but for the sessions. Connections share ownership of the
// setup that they were made with.
//
// A resumed session is not verified again: the peer counts as verified because it was when the session was
// made. So sessions belong to the setup that verified them, and TLSContext::reload() replaces both at once.
//
// Thread:    any.
// Errors:    std::invalid_argument, which names the file or the option.
class TLSSetup {
 public:
  // SSL_get_app_data() of each connection is its detail::TLSConnection.
  explicit TLSSetup(const TLSServerOptions& options);
  explicit TLSSetup(const TLSClientOptions& options);
  TLSSetup(const TLSSetup&) = delete;
  TLSSetup& operator=(const TLSSetup&) = delete;

  // The SSL_CTX of the first certificate.
  SSL_CTX* context() const noexcept { return contexts_.front().get(); }
  // The SSL_CTX of the certificate for `host`: see TLSServerOptions::certificates. Null without one.
  SSL_CTX* context_for(std::string_view host) const;
  // The sessions of connections with this setup. Empty for a server, whose sessions OpenSSL keeps in the
  // SSL_CTX.
  TLSSessions& sessions() const noexcept { return sessions_; }
  // The sessions of TLSContext::without_certificate(): a session that was made with a certificate identifies
  // the client again when it is resumed (RFC 8446, 2.2).
  TLSSessions& anonymous_sessions() const noexcept { return anonymous_sessions_; }
  // Removes all that identifies the client from one of its connections.
  static void make_anonymous(SSL* ssl) noexcept;

 private:
  // `Options` is TLSServerOptions or TLSClientOptions.
  template <class Options>
  SSL_CTX* add_context(const Options& options, const SSL_METHOD* method);
  template <class Options>
  static void trust(SSL_CTX* context, const Options& options);
  template <class Options>
  void prefer_protocols(SSL_CTX* context, const Options& options);
  // Stands before own_certificate_, for connections that are not anonymous.
  static int give_certificate(SSL* ssl, X509** certificate, EVP_PKEY** key);
  static int choose_certificate(SSL* ssl, int* alert, void* self);
  static int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                             const unsigned char* offered, unsigned int offered_size, void* self);

  std::vector<openssl::Context> contexts_;
  std::map<std::string, SSL_CTX*, std::less<>> by_name_;  // `a.example`, and `.a.example` for its wildcard
  std::string protocols_;                                 // ALPN's wire format: each protocol behind its size
  // Behind the contexts_, which verified the sessions. Each has a mutex.
  mutable TLSSessions sessions_;
  mutable TLSSessions anonymous_sessions_;
  // The callback for certificates that TLSClientOptions::customize has set; null without one.
  int (*own_certificate_)(SSL* ssl, X509** certificate, EVP_PKEY** key) = nullptr;
};

}  // namespace squall
