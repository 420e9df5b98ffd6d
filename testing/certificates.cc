#include <squall/testing/certificates.h>

#include <squall/iostream/tls/openssl.h>

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <utility>

namespace squall::testing {
namespace {

void require(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL cannot make a certificate");
}

openssl::Key make_key() {
  openssl::Key key(EVP_EC_gen("P-256"));
  require(key != nullptr);
  return key;
}

template <class Write>
std::string pem_of(Write write) {
  const openssl::Bio bio(::BIO_new(::BIO_s_mem()));
  require(write(bio.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string pem_of(X509* certificate) {
  return pem_of([&](BIO* bio) { return ::PEM_write_bio_X509(bio, certificate); });
}
std::string pem_of(EVP_PKEY* key) {
  return pem_of(
      [&](BIO* bio) { return ::PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = ::X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension != nullptr);
  ::X509_add_ext(certificate, extension, -1);
  ::X509_EXTENSION_free(extension);
}

// Self-signed if `issuer` is null.
openssl::Certificate make(const CertificateWishes& wishes, EVP_PKEY* key, X509* issuer,
                          EVP_PKEY* issuer_key) {
  openssl::Certificate certificate(::X509_new());
  X509* const x = certificate.get();
  ::X509_set_version(x, X509_VERSION_3);
  std::uint32_t serial = 0;
  require(::RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  ::ASN1_INTEGER_set_uint64(::X509_get_serialNumber(x), serial | 1U);
  ::X509_time_adj_ex(X509_getm_notBefore(x), wishes.begins, 0, nullptr);
  ::X509_time_adj_ex(X509_getm_notAfter(x), wishes.ends, 0, nullptr);
  X509_NAME* const name = ::X509_get_subject_name(x);
  ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wishes.common_name.c_str()), -1, -1, 0);
  ::X509_set_issuer_name(x, issuer ? ::X509_get_subject_name(issuer) : name);
  ::X509_set_pubkey(x, key);
  if (!issuer) issuer = x;
  if (wishes.is_authority) {
    extend(x, issuer, NID_basic_constraints, "critical,CA:TRUE");
    extend(x, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else if (!wishes.names.empty()) {
    std::string all;
    for (const std::string& one : wishes.names) all += (all.empty() ? "" : ",") + one;
    extend(x, issuer, NID_subject_alt_name, all);
  }
  extend(x, issuer, NID_subject_key_identifier, "hash");
  require(::X509_sign(x, issuer_key ? issuer_key : key, ::EVP_sha256()) > 0);
  return certificate;
}

}  // namespace

struct CertificateAuthority::Pair {
  openssl::Certificate certificate;
  openssl::Key key;
};

CertificateAuthority::CertificateAuthority(const std::string& common_name) : pair_(std::make_unique<Pair>()) {
  CertificateWishes wishes;
  wishes.common_name = common_name;
  wishes.is_authority = true;
  pair_->key = make_key();
  pair_->certificate = make(wishes, pair_->key.get(), nullptr, nullptr);
}

CertificateAuthority::CertificateAuthority(std::unique_ptr<Pair> pair, std::string chain)
    : pair_(std::move(pair)), chain_(std::move(chain)) {}
CertificateAuthority::CertificateAuthority(CertificateAuthority&&) noexcept = default;
CertificateAuthority::~CertificateAuthority() = default;

std::string CertificateAuthority::pem() const { return pem_of(pair_->certificate.get()); }

TLSCertificate CertificateAuthority::issue(const CertificateWishes& wishes) const {
  const openssl::Key key = make_key();
  const openssl::Certificate certificate =
      make(wishes, key.get(), pair_->certificate.get(), pair_->key.get());
  TLSCertificate result;
  result.cert_pem = pem_of(certificate.get()) + chain_;
  result.key_pem = pem_of(key.get());
  return result;
}

CertificateAuthority CertificateAuthority::intermediate() const {
  CertificateWishes wishes;
  wishes.common_name = "squall test intermediate";
  wishes.is_authority = true;
  auto pair = std::make_unique<Pair>();
  pair->key = make_key();
  pair->certificate = make(wishes, pair->key.get(), pair_->certificate.get(), pair_->key.get());
  std::string chain = pem_of(pair->certificate.get()) + chain_;
  return CertificateAuthority(std::move(pair), std::move(chain));
}

TLSCertificate self_signed(const CertificateWishes& wishes) {
  const openssl::Key key = make_key();
  const openssl::Certificate certificate = make(wishes, key.get(), nullptr, nullptr);
  TLSCertificate result;
  result.cert_pem = pem_of(certificate.get());
  result.key_pem = pem_of(key.get());
  return result;
}

std::string encrypted_key(const std::string& key_pem, const std::string& password) {
  const openssl::Bio bio(::BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  const openssl::Key key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  require(key != nullptr);
  return pem_of([&](BIO* out) {
    return ::PEM_write_bio_PrivateKey(out, key.get(), ::EVP_aes_128_cbc(),
                                      reinterpret_cast<const unsigned char*>(password.data()),
                                      static_cast<int>(password.size()), nullptr, nullptr);
  });
}

}  // namespace squall::testing
