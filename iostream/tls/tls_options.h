#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace squall {

// A certificate with its chain and its private key, in PEM: as files, or as text if there are none.
struct TLSCertificate {
  std::string certfile{};  // the certificate first, then those it was signed by, without the root
  std::string keyfile{};   // empty: the key is in `certfile` too
  std::string cert_pem{};
  std::string key_pem{};   // empty: the key is in `cert_pem` too
  std::string password{};  // of a key that is encrypted
};

enum class TLSVersion : std::uint8_t { tls1_2, tls1_3 };

// Whether the peer must show a certificate that is trusted. `optional` refuses a bad one, but accepts none.
enum class CertReqs : std::uint8_t { none, optional, required };

// What clients and servers share (NET-30). SSL and TLS before 1.2, compression, and renegotiation by the peer
// are never on.
struct TLSOptions {
  // Who signs the certificates that are trusted: a file, a folder as `openssl rehash` makes it, or text.
  std::string ca_certs{};
  std::string ca_path{};
  std::string ca_pem{};

  std::vector<std::string>
      alpn{};  // protocols for ALPN (RFC 7301), the preferred one first: "h2", "http/1.1"
  TLSVersion min_version = TLSVersion::tls1_2;
  TLSVersion max_version = TLSVersion::tls1_3;
  std::string ciphers{};                                // of TLS 1.2, as OpenSSL's lists; empty is kCiphers
  std::string ciphersuites{};                           // of TLS 1.3; empty is OpenSSL's choice
  std::chrono::milliseconds handshake_timeout{10'000};  // zero: none
  bool ktls = false;  // let the kernel encrypt, where it can; elsewhere it makes no difference

  // For what has no option here: called with each SSL_CTX once it is set up.
  std::function<void(ssl_ctx_st*)> customize{};
};

struct TLSServerOptions : TLSOptions {
  // At least one. A client that names a host (SNI) gets the first that is valid for it, by an exact name or
  // by a wildcard; who names none, or one that no certificate is for, gets the first of all.
  std::vector<TLSCertificate> certificates{};
  // Mutual TLS: with `optional` and `required` clients are asked for a certificate, which one of the ca_...
  // has signed.
  CertReqs cert_reqs = CertReqs::none;
  // Clients come back with a ticket, which costs the server no memory. The key to tickets is made with the
  // context, or by its reload(): what shares the context, a process forked after that among it, takes each
  // other's; other processes do not.
  bool session_tickets = true;
  // Sessions kept for clients that do without tickets.
  std::size_t session_cache = 0;
};

struct TLSClientOptions : TLSOptions {
  // Without any ca_... the system's store is trusted. `none` also turns off the check of the host's name.
  CertReqs cert_reqs = CertReqs::required;
  bool check_hostname = true;
  std::optional<TLSCertificate> certificate{};  // for servers that ask
  // Servers, by host and port, whose last sessions are kept: connecting again is cheaper. Zero: none.
  std::size_t session_cache = 1024;
};

}  // namespace squall
