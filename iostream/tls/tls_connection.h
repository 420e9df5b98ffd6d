#pragma once

#include <squall/iostream/address/address.h>
#include <squall/iostream/tls/openssl.h>
#include <squall/iostream/tls/tls_certificate.h>
#include <squall/iostream/tls/tls_context.h>
#include <squall/iostream/tls/tls_setup.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::detail {

// OpenSSL's object for one connection: the state of the handshake and of both directions, the negotiated
// facts, and the reason of a failure. TLSReceiver and TLSSender handle the bytes.
//
// | state       | waits for                     | ended by                              | next    |
// |-------------|-------------------------------|---------------------------------------|---------|
// | handshaking | the peer's handshake messages | the last of them                      | open    |
// |             |                               | an error                              | refused |
// | open        | the peer's bytes              | the peer's close_notify               | ended   |
// |             |                               | an error, an end without close_notify | failed  |
// | ended       | our bytes alone               | an error                              | failed  |
// | refused     | nothing: there is no session  | -                                     | -       |
// | failed      | nothing                       | -                                     | -       |
//
// The output has its own state, because the peer may stop receiving before it stops sending: `open`, until
// end_output() (`ended`) or an error of a send (`failed`).
//
// Thread:    the stream's.
// Lifetime:  independent of the TLSContext that it was made with. Neither copied nor moved, because OpenSSL
//            stores its address.
class TLSConnection {
 public:
  enum class State : std::uint8_t { handshaking, refused, open, ended, failed };
  enum class Output : std::uint8_t { open, ended, failed };

  // See TLSTransport::make().
  TLSConnection(const TLSContext& context, std::string_view server_hostname, std::uint16_t port);
  ~TLSConnection();
  TLSConnection(const TLSConnection&) = delete;
  TLSConnection& operator=(const TLSConnection&) = delete;

  // Whether `context` asks for the kernel's encryption.
  static bool prefers_kernel(const TLSContext& context) noexcept;

  SSL* ssl() const noexcept { return ssl_.get(); }
  const TLSSetup& setup() const noexcept { return *setup_; }
  // Whether the connection must not identify the client.
  bool is_anonymous() const noexcept { return context_.is_anonymous(); }
  State state() const noexcept { return state_; }
  // Whether the peer may still send.
  bool has_input() const noexcept { return state_ == State::open || state_ == State::handshaking; }
  bool has_failed() const noexcept { return state_ == State::refused || state_ == State::failed; }
  bool can_send() const noexcept { return !has_failed() && output_ != Output::failed; }
  std::optional<std::chrono::nanoseconds> handshake_timeout() const noexcept {
    return context_.handshake_timeout();
  }

  // ---- Changes of state. error() returns the first failure.

  // Handles the result of SSL_do_handshake(). `Blocked::yes`: OpenSSL could not send, and must be called
  // again.
  enum class Blocked : bool { no, yes };
  void on_handshake_result(int result, Blocked blocked) noexcept;
  // The handshake has failed: forgets the server's sessions, and notes the peer for the error's text.
  void on_refused(int fd) noexcept;
  void end_input() noexcept { state_ = State::ended; }
  // True at the first call that may send close_notify: the caller sends it.
  bool end_output() noexcept;
  void fail(std::error_code error) noexcept;
  void fail_with_errno(int error) noexcept { fail(std::error_code(error, std::generic_category())); }
  // For the result of SSL_get_error(), and OpenSSL's queue of errors.
  void fail_with_openssl(int error) noexcept;
  // A send has failed. Bytes that the peer has sent can still be received.
  void fail_to_send(int error) noexcept;

  // ---- The negotiated facts: see TLSTransport.

  std::string_view alpn() const noexcept;
  std::string_view version() const noexcept;
  std::string_view cipher() const noexcept;
  std::string_view server_name() const noexcept;
  bool session_reused() const noexcept;
  std::optional<TLSPeerCertificate> peer_certificate() const;

  // ---- The failure: see Transport.

  bool is_client() const noexcept;
  std::error_code error() const noexcept { return error_; }
  std::string error_text() const;
  [[noreturn]] void throw_error() const;

  // ---- OpenSSL's buffers of 34 KB. Allocating and freeing them with every record takes a twentieth of the
  // time of a small request. So the first connections of the process keep their buffers while they are
  // active.

  static constexpr int kKeepBuffers = 128;
  void keep_buffers() noexcept {
    if (!keeps_buffers_) try_to_keep_buffers();
  }
  void free_buffers() noexcept;

  // ---- Called by OpenSSL, which has this object as its application data.

  void note_refused(X509* certificate, int reason) noexcept;
  void keep_session(SSL_SESSION* session) noexcept;

 private:
  bool is_established() const noexcept { return state_ != State::handshaking && state_ != State::refused; }
  std::optional<long> verify_result() const noexcept;
  TLSSessions& sessions() const noexcept {
    return is_anonymous() ? setup_->anonymous_sessions() : setup_->sessions();
  }
  void prepare_client(std::string_view server_hostname, std::uint16_t port);
  void try_to_keep_buffers() noexcept;

  TLSContext context_;
  std::shared_ptr<const TLSSetup> setup_;
  std::unique_ptr<SSL, openssl::Free<::SSL_free>> ssl_;
  std::string server_;  // the key of a client's sessions: host and port
  std::error_code error_;
  Address peer_;                                // known once the handshake has failed
  std::unique_ptr<std::string> refused_names_;  // for the error's text: the hosts of a refused certificate
  State state_ = State::handshaking;
  Output output_ = Output::open;
  bool keeps_buffers_ = false;
};

}  // namespace squall::detail
