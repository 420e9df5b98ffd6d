#include <squall/iostream/tls/tls_pem.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <squall/ioloop/base/owned_fd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace squall {
namespace {

// The name in error messages: `certfile "a.pem"`, or `cert_pem` for text.
std::string name_of(std::string_view option, std::string_view text_option, const std::string& file) {
  return file.empty() ? std::string(text_option) : fmt::format("{} \"{}\"", option, file);
}

[[noreturn]] void fail(const std::string& name, std::string_view what) {
  throw std::invalid_argument(fmt::format("{} {}", name, what));
}

std::string reason_of(unsigned long error) {
  const char* const reason = ::ERR_reason_error_string(error);
  return reason ? reason : "OpenSSL does not say why";
}

std::string contents_of(std::string_view option, const std::string& file) {
  const std::string name = name_of(option, {}, file);
  const auto complain = [&name](int error) {
    if (error == ENOENT || error == ENOTDIR) fail(name, "does not exist");
    fail(name, "cannot be read: " + std::generic_category().message(error));
  };
  const OwnedFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) complain(errno);
  std::string text;
  char piece[16 * 1024];
  for (;;) {
    const ssize_t count = ::read(fd.get(), piece, sizeof piece);
    if (count == 0) return text;
    if (count > 0) {
      text.append(piece, static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      complain(errno);
    }
  }
}

openssl::Bio reader_of(std::string_view text) {
  openssl::Bio bio(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!bio) throw std::bad_alloc();
  return bio;
}

// Without this callback OpenSSL asks for the password at the terminal.
int give_password(char* space, int size, int, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  if (text.empty()) return -1;
  const auto count = std::min(text.size(), static_cast<std::size_t>(size));
  std::memcpy(space, text.data(), count);
  return static_cast<int>(count);
}

std::vector<openssl::Certificate> parse_certificates(const std::string& name, std::string_view text) {
  openssl::forget_errors();
  const openssl::Bio bio = reader_of(text);
  std::vector<openssl::Certificate> certificates;
  while (openssl::Certificate next{::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)})
    certificates.push_back(std::move(next));
  const unsigned long error = ::ERR_peek_last_error();
  openssl::forget_errors();
  if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE) {
    if (certificates.empty()) fail(name, "has no certificate in PEM");
    return certificates;  // text behind the last certificate is ignored
  }
  fail(name, "has a certificate that cannot be read: " + reason_of(error));
}

openssl::Key parse_key(const std::string& name, std::string_view text, const std::string& password) {
  openssl::forget_errors();
  const openssl::Bio bio = reader_of(text);
  openssl::Key key(
      ::PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, const_cast<std::string*>(&password)));
  const unsigned long error = ::ERR_peek_last_error();
  openssl::forget_errors();
  if (key) return key;
  const bool has_key = text.find("PRIVATE KEY-----") != text.npos;
  if (!has_key) fail(name, "has no private key in PEM");
  if (text.find("ENCRYPTED") != text.npos)
    fail(name, password.empty() ? "is encrypted, and there is no password" : "is not for this password");
  fail(name, "has a private key that cannot be read: " + reason_of(error));
}

}  // namespace

std::vector<openssl::Certificate> load_certificates(std::string_view option, const std::string& file,
                                                    std::string_view pem) {
  if (file.empty()) return parse_certificates(std::string(option), pem);
  return parse_certificates(name_of(option, {}, file), contents_of(option, file));
}

TLSIdentity load_identity(const TLSCertificate& source) {
  if (source.certfile.empty() && source.cert_pem.empty())
    throw std::invalid_argument("missing key \"certfile\" in ssl_options");
  const std::string certificate_name = name_of("certfile", "cert_pem", source.certfile);
  const std::string certificates =
      source.certfile.empty() ? source.cert_pem : contents_of("certfile", source.certfile);
  const bool has_own_key = !source.keyfile.empty() || !source.key_pem.empty();
  const std::string key_name = has_own_key ? name_of("keyfile", "key_pem", source.keyfile) : certificate_name;
  const std::string key = !source.keyfile.empty()   ? contents_of("keyfile", source.keyfile)
                          : !source.key_pem.empty() ? source.key_pem
                                                    : certificates;
  TLSIdentity identity;
  identity.chain = parse_certificates(certificate_name, certificates);
  identity.certificate = std::move(identity.chain.front());
  identity.chain.erase(identity.chain.begin());
  identity.key = parse_key(key_name, key, source.password);
  const bool match = ::X509_check_private_key(identity.certificate.get(), identity.key.get()) == 1;
  openssl::forget_errors();
  if (match) return identity;
  if (has_own_key) fail(key_name, "is not the key of " + certificate_name);
  fail(certificate_name, "has a private key that is not that of its first certificate");
}

}  // namespace squall
