#pragma once

#include <squall/iostream/tls/tls_options.h>

#include <memory>
#include <string>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace squall::testing {

// What a certificate for a test says.
struct CertificateWishes {
  std::string common_name = "squall test";
  std::vector<std::string> names{"DNS:localhost", "IP:127.0.0.1"};
  int begins = -1;  // days from now
  int ends = 30;
  bool is_authority = false;
};

// An authority of its own that signs certificates, with keys made for the occasion (P-256).
class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& common_name = "squall test authority");
  ~CertificateAuthority();
  CertificateAuthority(CertificateAuthority&&) noexcept;

  // Its own certificate.
  std::string pem() const;
  TLSCertificate issue(const CertificateWishes& wishes = {}) const;
  // One that this one has signed. What it issues has its certificate in the chain.
  CertificateAuthority intermediate() const;

 private:
  struct Pair;
  explicit CertificateAuthority(std::unique_ptr<Pair> pair, std::string chain);
  std::unique_ptr<Pair> pair_;
  std::string chain_;
};

// Signed by itself.
TLSCertificate self_signed(const CertificateWishes& wishes = {});
// The same key, encrypted.
std::string encrypted_key(const std::string& key_pem, const std::string& password);

// A folder that is gone with the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  // Writes a file in it; returns its path.
  std::string file(const std::string& name, const std::string& contents) const;
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace squall::testing
