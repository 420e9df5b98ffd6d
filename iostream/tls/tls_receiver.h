#pragma once

#include <squall/iostream/socket/pipe.h>
#include <squall/iostream/stream/buffer_pool.h>
#include <squall/iostream/tls/tls_connection.h>

#include <span>
#include <string_view>

namespace squall::detail {

// The ciphertext on its way from the descriptor to OpenSSL.
//
// One recv of up to 64 KiB is decrypted record by record into the stream's memory. Between two calls of the
// stream the connection owns no block, unless the peer has sent a part of a record.
//
// Lifetime:  a member of a transport, beside the TLSConnection, to which it reports failures.
class TLSReceiver {
 public:
  // One call from the stream. Owns the block to receive in.
  class Scope {
   public:
    explicit Scope(TLSReceiver& receiver) noexcept : receiver_(receiver) {}
    ~Scope() { receiver_.incoming_ = keep(receiver_.incoming_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    friend class TLSReceiver;
    std::string_view keep(std::string_view rest) noexcept;

    TLSReceiver& receiver_;
    Block block_;
    bool is_drained_ = false;  // the kernel has no more bytes
  };

  TLSReceiver(TLSConnection& connection, Channel channel) noexcept
      : connection_(connection), is_socket_(channel == Channel::socket) {}

  // Whether OpenSSL has not taken all ciphertext.
  bool has_ciphertext() const noexcept { return !incoming_.empty(); }
  // Makes one recv, after OpenSSL has taken all ciphertext. False without bytes: none have arrived, or the
  // connection has failed.
  bool fill(Scope& scope, int fd) noexcept;
  // For OpenSSL: BIO_read().
  int read(BIO* bio, char* space, int size) noexcept;

 private:
  TLSConnection& connection_;
  std::string_view incoming_;  // not yet taken by OpenSSL; in `leftover_` or the scope's block
  Block leftover_;
  const bool is_socket_;
};

}  // namespace squall::detail
