#include <squall/iostream/tls/x509.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <squall/ioloop/base/ascii.h>

#include <ctime>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace squall {
namespace {

using GeneralNames = std::unique_ptr<GENERAL_NAMES, openssl::Free<GENERAL_NAMES_free>>;

openssl::Bio memory() {
  openssl::Bio bio(::BIO_new(::BIO_s_mem()));
  if (!bio) throw std::bad_alloc();
  return bio;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string text_of(const X509_NAME* name) {
  const openssl::Bio bio = memory();
  ::X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return text_of(bio.get());
}

std::string text_of(const ASN1_STRING* string) {
  return std::string(reinterpret_cast<const char*>(::ASN1_STRING_get0_data(string)),
                     static_cast<std::size_t>(::ASN1_STRING_length(string)));
}

std::string address_of(const ASN1_STRING* bytes) {
  char text[INET6_ADDRSTRLEN] = "?";
  const int size = ::ASN1_STRING_length(bytes);
  if (size == 4 || size == 16)
    ::inet_ntop(size == 4 ? AF_INET : AF_INET6, ::ASN1_STRING_get0_data(bytes), text, sizeof text);
  return text;
}

std::string hex(const unsigned char* bytes, std::size_t size) {
  std::string text;
  text.reserve(size * 2);
  append_lower_hex(text, std::span(bytes, size));
  return text;
}

std::chrono::sys_seconds time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (::ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
}

// The kind and the value of each alternative name that is text or an address.
std::vector<std::pair<int, std::string>> alternative_names(X509* certificate) {
  const GeneralNames names(
      static_cast<GENERAL_NAMES*>(::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::pair<int, std::string>> result;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    switch (name->type) {
      case GEN_DNS:
      case GEN_EMAIL:
      case GEN_URI: result.emplace_back(name->type, text_of(name->d.ia5)); break;
      case GEN_IPADD: result.emplace_back(name->type, address_of(name->d.iPAddress)); break;
      default: break;
    }
  }
  return result;
}

std::string_view prefix_of(int kind) {
  switch (kind) {
    case GEN_DNS: return "DNS:";
    case GEN_EMAIL: return "email:";
    case GEN_URI: return "URI:";
    default: return "IP:";
  }
}

std::string serial_of(const X509* certificate) {
  const ASN1_INTEGER* const serial = ::X509_get0_serialNumber(certificate);
  return hex(::ASN1_STRING_get0_data(serial), static_cast<std::size_t>(::ASN1_STRING_length(serial)));
}

std::string der_of(X509* certificate) {
  const int size = ::i2d_X509(certificate, nullptr);
  if (size < 0) throw std::runtime_error("Cannot encode a certificate");
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(der.data());
  ::i2d_X509(certificate, &bytes);
  return der;
}

}  // namespace

TLSPeerCertificate describe(X509* certificate) {
  openssl::forget_errors();
  TLSPeerCertificate result;
  result.subject = text_of(::X509_get_subject_name(certificate));
  result.issuer = text_of(::X509_get_issuer_name(certificate));
  for (const auto& [kind, name] : alternative_names(certificate))
    result.names.push_back(std::string(prefix_of(kind)) + name);
  result.serial = serial_of(certificate);
  result.not_before = time_of(::X509_get0_notBefore(certificate));
  result.not_after = time_of(::X509_get0_notAfter(certificate));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (::X509_digest(certificate, ::EVP_sha256(), digest, &size) != 1)
    throw std::runtime_error("Cannot compute a certificate's fingerprint");
  result.fingerprint = hex(digest, size);
  result.der = der_of(certificate);
  const openssl::Bio pem = memory();
  if (::PEM_write_bio_X509(pem.get(), certificate) != 1)
    throw std::runtime_error("Cannot encode a certificate");
  result.pem = text_of(pem.get());
  return result;
}

std::vector<std::string> host_names(X509* certificate) {
  std::vector<std::string> result;
  for (auto& [kind, name] : alternative_names(certificate)) {
    if (kind != GEN_DNS && kind != GEN_IPADD) continue;
    make_lower(name);
    result.push_back(std::move(name));
  }
  openssl::forget_errors();
  return result;
}

}  // namespace squall
