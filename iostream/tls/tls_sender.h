#pragma once

#include <squall/iostream/socket/pipe.h>
#include <squall/iostream/tls/tls_connection.h>
#include <squall/iostream/tls/tls_records.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace squall::detail {

// The bytes of a stream on their way through OpenSSL to the descriptor.
//
// The records that one send() encrypts are sent in one system call. Between two calls of the stream the
// connection owns no ciphertext, unless the kernel did not take all of it.
//
// Lifetime:  a member of a transport, beside the TLSConnection, to which it reports failures.
class TLSSender {
 public:
  // The limit of unsent ciphertext that answers the peer, such as answers to key updates. If a peer does
  // not receive them, the connection fails with ENOBUFS.
  static constexpr std::size_t kMaxUnsent = 256 * 1024;

  // One call from the stream. Owns the records that OpenSSL makes during the call.
  class Scope {
   public:
    explicit Scope(TLSSender& sender) noexcept : sender_(sender) { sender_.enter(this); }
    ~Scope() { sender_.enter(nullptr); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    friend class TLSSender;
    TLSSender& sender_;
    TLSRecords fresh_;
  };

  TLSSender(TLSConnection& connection, Channel channel) noexcept
      : connection_(connection), is_socket_(channel == Channel::socket) {}

  bool has_unsent() const noexcept { return unsent_ != nullptr; }
  // See Transport::send().
  ssize_t send(int fd, std::span<const std::string_view> pieces) noexcept;
  // Sends the records that earlier calls left, then the records of this scope, and keeps the rest. True if
  // no rest is left.
  bool push(Scope& scope, int fd) noexcept;
  // For OpenSSL: BIO_write().
  int write(BIO* bio, const char* bytes, int size) noexcept;

 private:
  void enter(Scope* scope) noexcept { scope_ = scope; }
  std::size_t encrypt(Scope& scope, std::span<const std::string_view> pieces, std::size_t skip);
  bool encrypt_record(Scope& scope, std::string_view bytes);
  bool keep(TLSRecords& fresh) noexcept;

  TLSConnection& connection_;
  std::unique_ptr<TLSRecords> unsent_;
  std::size_t credit_ = 0;  // bytes of a send() that the kernel has taken, but no result has counted yet
  Scope* scope_ = nullptr;
  const bool is_socket_;
};

}  // namespace squall::detail
