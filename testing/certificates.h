#pragma once

#include <squall/iostream/tls/tls_options.h>

#include <memory>
#include <string>
#include <vector>

namespace squall::testing {

// Certificates that a test makes when it runs, so that none is in a repository and none expires.

// The contents of a certificate.
struct CertificateWishes {
  std::string common_name = "squall test";
  // Of the subject (subjectAltName), each `DNS:` or `IP:` and the name.
  std::vector<std::string> names{"DNS:localhost", "IP:127.0.0.1"};
  int begins = -1;  // days from now
  int ends = 30;
  bool is_authority = false;
};

// A certificate authority with a new key (P-256).
//
// Thread:    one.
// Errors:    std::runtime_error if OpenSSL cannot make a key or a certificate.
class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& common_name = "squall test authority");
  ~CertificateAuthority();
  CertificateAuthority(CertificateAuthority&&) noexcept;

  // The certificate of the authority.
  std::string pem() const;
  TLSCertificate issue(const CertificateWishes& wishes = {}) const;
  // An intermediate authority, signed by this one. Certificates that it issues have its certificate in their
  // chain.
  CertificateAuthority intermediate() const;

 private:
  struct Pair;
  explicit CertificateAuthority(std::unique_ptr<Pair> pair, std::string chain);
  std::unique_ptr<Pair> pair_;
  std::string chain_;
};

// A self-signed certificate.
TLSCertificate self_signed(const CertificateWishes& wishes = {});
// The key, encrypted.
std::string encrypted_key(const std::string& key_pem, const std::string& password);

}  // namespace squall::testing
