#pragma once

#include <squall/iostream/tls/openssl.h>
#include <squall/iostream/tls/tls_options.h>

#include <string>
#include <string_view>
#include <vector>

namespace squall {

// What stands in a TLSCertificate. Its errors are std::invalid_argument and name the file, or the option if
// there is none: `certfile "a.pem" does not exist` (TSV-01).
struct TLSIdentity {
  openssl::Certificate certificate;
  std::vector<openssl::Certificate> chain;
  openssl::Key key;
};
TLSIdentity load_identity(const TLSCertificate& source);

// All certificates of a file, or of `pem` if `file` is empty; at least one. `option` is what the file is
// called in errors.
std::vector<openssl::Certificate> load_certificates(std::string_view option, const std::string& file,
                                                    std::string_view pem);

}  // namespace squall
