#pragma once

#include <squall/iostream/address/address.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

namespace squall {

// OpenSSL's reasons as error codes, for StreamClosedError::code() and IOStream::error() of a connection
// that broke the protocol: `decryption failed or bad record mac`, or an alert of the peer. The values come
// from OpenSSL's ERR_get_error().
const std::error_category& tls_category() noexcept;

// The alert (RFC 8446, 6) that the peer sent, std::nullopt if `error` is another error.
std::optional<int> tls_alert_of(const std::error_code& error) noexcept;

// A TLS handshake has failed, and the stream is closed. The text ends with the peer's address, if the system
// still knows it:
//
//     certificate verify failed: self-signed certificate (peer 127.0.0.1:443)
//     certificate verify failed: hostname mismatch, it is for a.example and not for b.example (peer ...)
//     the peer sent the alert "unknown CA" (peer 127.0.0.1:443)
//     the peer closed the connection (peer 127.0.0.1:443)
class TLSError : public std::runtime_error {
 public:
  TLSError(std::string reason, const Address& peer, std::error_code code, std::optional<long> verify_result);

  // what() without the peer.
  const std::string& reason() const noexcept { return reason_; }

  // In tls_category(), or the system's, or StreamErrc::truncated if the peer went away.
  const std::error_code& code() const noexcept { return code_; }
  // The reason why the peer's certificate was refused, one of OpenSSL's X509_V_ERR_...; std::nullopt if it
  // was not refused.
  std::optional<long> verify_result() const noexcept { return verify_result_; }
  // The alert that the peer sent, if it sent one.
  std::optional<int> alert() const noexcept { return tls_alert_of(code_); }

 private:
  std::string reason_;
  std::error_code code_;
  std::optional<long> verify_result_;
};

}  // namespace squall
