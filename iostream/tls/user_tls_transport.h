#pragma once

#include <squall/iostream/tls/tls_connection.h>
#include <squall/iostream/tls/tls_receiver.h>
#include <squall/iostream/tls/tls_sender.h>
#include <squall/iostream/tls/tls_transport.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::detail {

// TLS in this process.
//
// OpenSSL does not use the descriptor: TLSReceiver passes ciphertext to OpenSSL, and TLSSender sends the
// ciphertext that OpenSSL makes. So an idle connection holds neither plaintext nor ciphertext, only
// OpenSSL's own state: 14 KB with version 3.0 (bench/iostream/idle.cc).
class UserTLSTransport : public TLSTransport {
 public:
  // See TLSTransport::make().
  explicit UserTLSTransport(const TLSContext& context, std::string_view server_hostname = {},
                            std::uint16_t port = 0, Channel channel = Channel::socket);
  UserTLSTransport(const UserTLSTransport&) = delete;
  UserTLSTransport& operator=(const UserTLSTransport&) = delete;

  std::string_view alpn() const noexcept override { return connection_.alpn(); }
  std::string_view version() const noexcept override { return connection_.version(); }
  std::string_view cipher() const noexcept override { return connection_.cipher(); }
  std::string_view server_name() const noexcept override { return connection_.server_name(); }
  bool session_reused() const noexcept override { return connection_.session_reused(); }
  std::optional<TLSPeerCertificate> peer_certificate() const override {
    return connection_.peer_certificate();
  }

  Step handshake(int fd) noexcept override;
  ssize_t receive(int fd, std::span<char> space) noexcept override;
  ssize_t look(int fd) noexcept override;
  bool has_received() const noexcept override;
  ssize_t send(int fd, std::span<const std::string_view> pieces) noexcept override;
  bool wants_write() const noexcept override { return sender_.has_unsent(); }
  void end_sending(int fd) noexcept override;
  void rest() noexcept override { connection_.free_buffers(); }
  std::error_code error() const noexcept override { return connection_.error(); }
  std::string error_text() const override { return connection_.error_text(); }
  [[noreturn]] void throw_error() const override { connection_.throw_error(); }
  bool is_client() const noexcept override { return connection_.is_client(); }
  std::optional<std::chrono::nanoseconds> handshake_timeout() const noexcept override {
    return connection_.handshake_timeout();
  }

 protected:
  // SSL_read_ex() or SSL_peek_ex().
  using Read = int (*)(SSL* ssl, void* space, std::size_t size, std::size_t* count);

  TLSConnection& connection() noexcept { return connection_; }
  TLSSender& sender() noexcept { return sender_; }
  // A BIO over the receiver and the sender; null without memory.
  openssl::Bio make_bio() noexcept;
  // Fails the handshake.
  Step refuse(int fd) noexcept;
  // Makes one call of `read`. False without plaintext: OpenSSL needs more ciphertext, or the input has ended.
  bool read_record(std::span<char> space, std::size_t& got, Read read) noexcept;
  // The result of receive() after `got` bytes.
  ssize_t report(std::size_t got) noexcept;

 private:
  static const BIO_METHOD* bio_method();
  ssize_t decrypt(int fd, std::span<char> space, Read read) noexcept;

  TLSConnection connection_;
  TLSReceiver receiver_;
  TLSSender sender_;
  bool is_end_reported_ = false;  // receive() has returned the end, or the failure, of the input
};

}  // namespace squall::detail
