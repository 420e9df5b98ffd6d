#include <squall/iostream/address/errors.h>
#include <squall/iostream/tls/openssl.h>
#include <squall/iostream/tls/tls_transport.h>

#include <fmt/format.h>

#include <cerrno>
#include <memory>
#include <new>
#include <string>
#include <string_view>

// What a TLSTransport fails of, and how it says so.
namespace squall {

// The first failure is what the connection failed of.
void TLSTransport::fail(std::error_code error) noexcept {
  if (end_ == End::failed) return;
  end_ = End::failed;
  if (!has_failed_to_send_) error_ = error;
}

void TLSTransport::fail_with_errno(int error) noexcept {
  fail(std::error_code(error, std::generic_category()));
}

// The other direction has an end of its own, and what comes before it is to be had.
void TLSTransport::fail_to_send(int error) noexcept {
  if (end_ == End::failed || has_failed_to_send_) return;
  has_failed_to_send_ = true;
  error_ = std::error_code(error, std::generic_category());
}

void TLSTransport::fail_with_openssl(int error) noexcept {
  const int system_error = errno;
  const unsigned long reason = openssl::take_error();
  if (ERR_GET_LIB(reason) == ERR_LIB_SSL && ERR_GET_REASON(reason) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    fail(StreamErrc::truncated);  // where OpenSSL has the descriptor
  } else if (reason != 0) {
    fail(std::error_code(static_cast<int>(reason), tls_category()));
  } else if (error == SSL_ERROR_ZERO_RETURN) {
    fail(StreamErrc::truncated);  // close_notify where only a handshake can be
  } else {
    fail_with_errno(error == SSL_ERROR_SYSCALL && system_error != 0 ? system_error : EPROTO);
  }
}

long TLSTransport::verify_result() const noexcept {
  const int code = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_CERTIFICATE_VERIFY_FAILED);
  const bool is_refused = error_ == std::error_code(code, tls_category());
  return is_refused ? ::SSL_get_verify_result(ssl_) : X509_V_OK;
}

std::string TLSTransport::error_text() const {
  std::string text =
      error_ == StreamErrc::truncated && !is_done_ ? "the peer closed the connection" : error_.message();
  if (const long result = verify_result(); result != X509_V_OK)
    text += fmt::format(": {}", ::X509_verify_cert_error_string(result));
  if (refused_) text += *refused_;
  return text;
}

void TLSTransport::throw_error() const {
  if (is_done_) throw StreamClosedError(error_);
  throw TLSError(fmt::format("{} (peer {})", error_text(), peer_), error_, verify_result());
}

void TLSTransport::note_refused(X509* certificate, int reason) noexcept {
  if (!certificate) return;
  if (reason != X509_V_ERR_HOSTNAME_MISMATCH && reason != X509_V_ERR_IP_ADDRESS_MISMATCH) return;
  try {
    std::string names;
    for (const std::string& name : host_names(certificate)) {
      if (names.size() > 200) {
        names += ", ...";
        break;
      }
      if (!names.empty()) names += ", ";
      names += name;
    }
    const std::string_view host = std::string_view(server_).substr(0, server_.rfind(':'));
    refused_ = std::make_unique<std::string>(
        fmt::format(", it is for {} and not for {}", names.empty() ? "no host" : names, host));
  } catch (const std::bad_alloc&) {
    // The error has a word less.
  }
}

}  // namespace squall
