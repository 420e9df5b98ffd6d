#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace squall {

// The certificate that a peer has sent: see TLSTransport::peer_certificate().
struct TLSPeerCertificate {
  std::string subject;  // `CN=example.org,O=Example` (RFC 2253)
  std::string issuer;
  // The alternative names: `DNS:example.org`, `IP:127.0.0.1`, `URI:...`, `email:...`.
  std::vector<std::string> names;
  std::string serial;  // hexadecimal
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
  std::string fingerprint;  // SHA-256, hexadecimal in lower case
  std::string pem;
  std::string der;
};

}  // namespace squall
