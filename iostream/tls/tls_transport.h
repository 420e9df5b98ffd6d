#pragma once

#include <squall/iostream/address/address.h>
#include <squall/iostream/stream/buffer_pool.h>
#include <squall/iostream/socket/pipe.h>
#include <squall/iostream/tls/tls_certificate.h>
#include <squall/iostream/tls/tls_context.h>
#include <squall/iostream/tls/tls_error.h>
#include <squall/iostream/stream/transport.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

struct bio_st;          // OpenSSL's BIO,
struct ssl_session_st;  // SSL_SESSION,
struct ssl_st;          // SSL,
struct x509_st;         // and X509

namespace squall {

// One end of a TLS connection: IOStream::tls() gives a stream's, to be asked what was negotiated.
//
// OpenSSL never sees the descriptor. One recv of up to 64 KiB is decrypted record by record into the stream's
// memory, and what one send encrypts leaves in one system call, both by way of blocks from the thread's pool.
// So an idle connection holds neither plaintext nor ciphertext, only what OpenSSL keeps of it: 14 KB with 3.0
// (bench/iostream/idle.cc). What the peer has sent of a record that is not whole yet, and what the kernel
// would not take, are the exceptions. What a peer makes us send but does not receive (answers to key updates,
// say) is bounded by kMaxUnsent: behind that the connection fails with ENOBUFS.
//
// Where the kernel encrypts (TLSOptions::ktls) its bytes go to the descriptor as they are.
//
// Thread:    the stream's.
// Lifetime:  independent of the stream, and of the context it was made with.
class TLSTransport final : public Transport {
 public:
  static constexpr std::size_t kMaxUnsent = 256 * 1024;
  // So many of a process's connections keep OpenSSL's buffers of 34 KB while they are used: to have them made
  // and freed with every record costs a small request a twentieth of its time.
  static constexpr int kKeepBuffers = 128;

  // A client checks that the certificate is for `server_hostname`, which it also asks for (SNI) unless that
  // is an address; sessions are kept by that and `port`. Throws std::invalid_argument if the context is to
  // check and there is no name to check, and std::runtime_error if OpenSSL fails.
  explicit TLSTransport(const TLSContext& context, std::string_view server_hostname = {},
                        std::uint16_t port = 0, Channel channel = Channel::socket);
  ~TLSTransport() override;
  TLSTransport(const TLSTransport&) = delete;
  TLSTransport& operator=(const TLSTransport&) = delete;

  // ---- What was negotiated; empty, none or false before the handshake is done.

  // The protocol by ALPN; empty if none was agreed upon.
  std::string_view alpn() const noexcept;
  // `TLSv1.3`.
  std::string_view version() const noexcept;
  // `TLS_AES_256_GCM_SHA384`.
  std::string_view cipher() const noexcept;
  // The host that the client has asked for (SNI).
  std::string_view server_name() const noexcept;
  // The peer was known from a session before.
  bool session_reused() const noexcept;
  // None if the peer has shown none. Unless the context verified it, it is only what the peer claims.
  std::optional<TLSPeerCertificate> peer_certificate() const;

  // ---- For streams.

  Step handshake(int fd) noexcept override;
  ssize_t receive(int fd, std::span<char> space) noexcept override;
  ssize_t look(int fd) noexcept override;
  bool has_received() const noexcept override;
  ssize_t send(int fd, std::span<const std::string_view> pieces) noexcept override;
  bool wants_write() const noexcept override { return unsent_ != nullptr || is_blocked_; }
  bool is_in_kernel() const noexcept override { return kernel_sends_; }
  void end_sending(int fd) noexcept override;
  void rest() noexcept override;
  std::error_code error() const noexcept override { return error_; }
  std::string error_text() const override;
  // A TLSError.
  [[noreturn]] void throw_error() const override;
  std::chrono::milliseconds handshake_timeout() const noexcept override {
    return context_.handshake_timeout();
  }

  // ---- Called by OpenSSL.

  void note_refused(x509_st* certificate, int reason) noexcept;
  void keep_session(ssl_session_st* session) noexcept;
  int bio_read(bio_st* bio, char* space, int size) noexcept;
  int bio_write(bio_st* bio, const char* bytes, int size) noexcept;

 private:
  // How far the ciphertext of a record goes, and how many bytes of plaintext are in it.
  struct Record {
    std::size_t end;
    std::size_t plain;
  };
  // Ciphertext on its way out, and where the records with a send()'s bytes end in it.
  struct Outgoing : Pooled {
    static constexpr std::size_t kRecords = 3;
    // Encrypted together: with their overhead they fit into the largest block that is recycled.
    static constexpr std::size_t kPlain = kRecords * 16 * 1024;

    std::size_t size() const noexcept { return end - begin; }
    std::size_t plain() const noexcept;
    void append(std::string_view bytes);
    void move_to(Block other) noexcept;

    Block block;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::array<Record, kRecords> records;
    std::size_t records_begin = 0;
    std::size_t records_end = 0;
  };
  class Call;
  enum class End : std::uint8_t { none, clean, failed };

  long verify_result() const noexcept;
  bio_st* make_bio() noexcept;  // null without memory
  int step_in_kernel(int fd) noexcept;
  void leave_to_kernel() noexcept;
  void keep_buffers() noexcept;
  bool receive_more(int fd) noexcept;
  enum class Take : bool { no, yes };
  ssize_t decrypt(int fd, std::span<char> space, Take take) noexcept;
  std::size_t encrypt(std::span<const std::string_view> pieces, std::size_t skip);
  bool encrypt_record(std::string_view bytes);
  bool push(int fd) noexcept;
  void fail(std::error_code error) noexcept;
  void fail_with_errno(int error) noexcept;
  void fail_to_send(int error) noexcept;
  void fail_with_openssl(int error) noexcept;

  ssl_st* ssl_ = nullptr;
  TLSContext context_;
  std::shared_ptr<const TLSSetup> setup_;
  std::string_view incoming_;  // ciphertext that OpenSSL has not taken: in `leftover_`, or a call's own block
  Block leftover_;
  std::unique_ptr<Outgoing> unsent_;
  std::size_t credit_ = 0;  // bytes that the kernel has taken since, which the next send() counts
  std::error_code error_;
  Address peer_;                          // once the handshake has failed
  std::unique_ptr<std::string> refused_;  // whom the peer's certificate is for, if for another
  std::string server_;                    // whose sessions these are: host and port
  Call* call_ = nullptr;
  const bool is_socket_;
  End end_ = End::none;
  bool end_is_told_ = false;
  bool is_done_ = false;             // the handshake
  bool has_ended_ = false;           // our side
  bool has_failed_to_send_ = false;  // what the peer has sent can still be received
  // TLSOptions::ktls. The handshake is OpenSSL's with the descriptor, so that it can offer the keys to the
  // kernel; directions that this does not take are ours afterwards, as all are without the option.
  bool is_offered_ = false;
  bool is_blocked_ = false;  // OpenSSL could not write
  bool kernel_sends_ = false;
  bool kernel_receives_ = false;
  bool keeps_buffers_ = false;  // is one of the kKeepBuffers
};

}  // namespace squall
