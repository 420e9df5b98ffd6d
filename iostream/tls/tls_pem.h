#pragma once

#include <squall/iostream/tls/openssl.h>
#include <squall/iostream/tls/tls_options.h>

#include <string>
#include <string_view>
#include <vector>

namespace squall {

// The parsed content of a TLSCertificate. load_identity() throws std::invalid_argument, which names the file,
// or the option for text: `certfile "a.pem" does not exist` (TSV-01).
struct TLSIdentity {
  openssl::Certificate certificate;
  std::vector<openssl::Certificate> chain;
  openssl::Key key;
};
TLSIdentity load_identity(const TLSCertificate& source);

// All certificates of a file, or of `pem` if `file` is empty; at least one. Errors call the file `option`.
std::vector<openssl::Certificate> load_certificates(std::string_view option, const std::string& file,
                                                    std::string_view pem);

}  // namespace squall
