#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/base/void_function.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace squall {

// A certificate with its chain and its private key, in PEM: from files, or from text where no file is named.
struct TLSCertificate {
  std::string certfile{};  // the certificate first, then its issuers up to the root, without the root
  std::string keyfile{};   // empty: the key is in `certfile` too
  std::string cert_pem{};
  std::string key_pem{};   // empty: the key is in `cert_pem` too
  std::string password{};  // of an encrypted key
};

enum class TLSVersion : std::uint8_t { tls1_2, tls1_3 };

// Whether the peer must show a trusted certificate. `optional` accepts a peer without a certificate, but
// refuses one with a bad certificate.
enum class CertReqs : std::uint8_t { none, optional, required };

// The options of a server's TLSContext (NET-30). SSL, TLS before 1.2, compression and renegotiation by the
// peer are never on.
struct TLSServerOptions {
  // At least one certificate. A client that asks for a host (SNI) gets the first certificate for that host,
  // by an exact name or by a wildcard. All other clients get the first certificate.
  std::vector<TLSCertificate> certificates{};
  // Mutual TLS: with `optional` and `required` clients are asked for a certificate that one of the ca_... has
  // signed.
  CertReqs cert_reqs = CertReqs::none;
  // Clients resume a session by a ticket, which costs the server no memory. TLSContext::server() and reload()
  // make the key of the tickets. All users of the context, also in processes forked later, accept each
  // other's tickets; other processes do not.
  bool session_tickets = true;
  // The most sessions kept in memory, for clients without tickets.
  std::size_t session_cache = 0;

  // ---- As TLSClientOptions has them.

  // The trusted authorities: a file, a folder as `openssl rehash` makes it, or text.
  std::string ca_certs{};
  std::string ca_path{};
  std::string ca_pem{};
  // Protocols for ALPN (RFC 7301), the preferred one first: "h2", "http/1.1".
  std::vector<std::string> alpn{};
  TLSVersion min_version = TLSVersion::tls1_2;
  TLSVersion max_version = TLSVersion::tls1_3;
  std::string ciphers{};       // of TLS 1.2, an OpenSSL cipher list; empty: ECDHE with an AEAD cipher
  std::string ciphersuites{};  // of TLS 1.3; empty: OpenSSL's choice
  std::optional<TimeSpan> handshake_timeout = std::chrono::seconds(10);  // nullopt: no limit
  bool ktls = false;                                                     // let the kernel encrypt, if it can
  // For settings without an option here. Called with each SSL_CTX after its setup.
  VoidFunction<ssl_ctx_st*> customize{};
};

// The options of a client's TLSContext (NET-30).
struct TLSClientOptions {
  // Without any ca_... the system's store is trusted. `none` also turns off the check of the host name.
  CertReqs cert_reqs = CertReqs::required;
  bool check_hostname = true;
  std::optional<TLSCertificate> certificate{};  // for servers that ask for one
  // The most servers, by host and port, whose last sessions are kept: the next handshake with them is
  // cheaper.
  std::size_t session_cache = 1024;

  // ---- As TLSServerOptions has them.

  std::string ca_certs{};
  std::string ca_path{};
  std::string ca_pem{};
  std::vector<std::string> alpn{};
  TLSVersion min_version = TLSVersion::tls1_2;
  TLSVersion max_version = TLSVersion::tls1_3;
  std::string ciphers{};
  std::string ciphersuites{};
  std::optional<TimeSpan> handshake_timeout = std::chrono::seconds(10);
  bool ktls = false;
  VoidFunction<ssl_ctx_st*> customize{};
};

}  // namespace squall
