#pragma once

#include <chrono>
#include <string>
#include <vector>

struct x509_st;  // OpenSSL's X509

namespace squall {

// What a peer's certificate says.
struct TLSPeerCertificate {
  std::string subject;  // `CN=example.org,O=Example` (RFC 2253)
  std::string issuer;
  std::vector<std::string> names;  // who it is for: `DNS:example.org`, `IP:127.0.0.1`, `URI:...`, `email:...`
  std::string serial;              // hexadecimal
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
  std::string fingerprint;  // SHA-256, hexadecimal in lower case
  std::string pem;
  std::string der;
};

// Throws std::runtime_error if OpenSSL cannot say.
TLSPeerCertificate describe(x509_st* certificate);

// The hosts it is for, DNS names in lower case and addresses; the subject's common name is none (RFC 9525).
std::vector<std::string> host_names(x509_st* certificate);

}  // namespace squall
