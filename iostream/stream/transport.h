#pragma once

#include <squall/ioloop/base/frame_pool.h>

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace squall {

// The layer between a stream's buffers and its descriptor that changes the bytes: TLS.
//
// Thread:    the stream's.
// Lifetime:  owned by the stream, without a reference to it: IOStream::release() may give the transport to
//            another stream. The descriptor is the stream's, non-blocking, and an argument of each call.
// Errors:    as system calls: -1 and errno, EAGAIN if the descriptor must become ready first. error() has
//            the reason.
class Transport : public Pooled {
 public:
  virtual ~Transport() = default;

  // The next step of the handshake. The stream calls it at once, and then whenever the descriptor is
  // readable, or writable if wants_write(), until the result is `done` or `failed`. It calls nothing else
  // before `done`.
  enum class Step : std::uint8_t { done, pending, failed };
  virtual Step handshake(int fd) noexcept = 0;

  // Receives into `space`, which is not empty. Returns the count of bytes; 0 after the peer has ended its
  // bytes in a way that an attacker cannot forge.
  virtual ssize_t receive(int fd, std::span<char> space) noexcept = 0;
  // Consumes nothing: 1 if receive() would return bytes, else the result of receive().
  virtual ssize_t look(int fd) noexcept = 0;
  // Whether the transport holds received bytes, or an end, that the poller does not report (IOS-76).
  virtual bool has_received() const noexcept = 0;

  // Sends the pieces one after the other, or a part of them. Returns the count of bytes. A byte counts only
  // when the kernel has taken its whole ciphertext. So after EAGAIN or a partial send the next call begins
  // with the first byte that was not counted. Without pieces, sends the transport's own bytes.
  virtual ssize_t send(int fd, std::span<const std::string_view> pieces) noexcept = 0;
  // Whether the transport has its own bytes to send: of the handshake, or of an unfinished send().
  virtual bool wants_write() const noexcept = 0;
  // Tells the peer that no more bytes come, if the descriptor takes that message at once.
  virtual void end_sending(int fd) noexcept = 0;
  // The stream is idle, maybe for a long time: frees memory that can be allocated again.
  virtual void rest() noexcept {}
  // Whether the kernel encrypts, so that a file may be sent to the descriptor itself.
  virtual bool is_in_kernel() const noexcept { return false; }

  // The reason of the last -1 or failed step; and its text, with more detail if known.
  virtual std::error_code error() const noexcept = 0;
  virtual std::string error_text() const { return error().message(); }
  // Throws the error of a failed handshake: StreamClosedError by default.
  [[noreturn]] virtual void throw_error() const;
  // Whether this is the side that has begun the connection: then a failed handshake is thrown, but not
  // logged.
  virtual bool is_client() const noexcept { return false; }
  // The longest wait for the handshake, after which the stream is closed. std::nullopt: no limit.
  virtual std::optional<std::chrono::nanoseconds> handshake_timeout() const noexcept { return std::nullopt; }
};

}  // namespace squall
