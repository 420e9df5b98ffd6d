#pragma once

#include <squall/iostream/tls/openssl.h>
#include <squall/iostream/tls/tls_certificate.h>

#include <string>
#include <vector>

namespace squall {

// The fields of `certificate`. Throws std::runtime_error if OpenSSL cannot encode them.
TLSPeerCertificate describe(X509* certificate);

// The hosts that the certificate is for: DNS names in lower case, and addresses. Not the subject's common
// name (RFC 9525).
std::vector<std::string> host_names(X509* certificate);

}  // namespace squall
