#pragma once

#include <squall/ioloop/base/frame_pool.h>

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace squall {

// What stands between a stream's buffers and its descriptor, where bytes do not travel as they are: TLS.
//
// Thread:    the stream's.
// Lifetime:  owned by the stream, and knows nothing of it: both may move to another stream. The descriptor is
//            the stream's, non-blocking, and handed in with each call.
// Errors:    as system calls: -1 and errno, EAGAIN if the descriptor must become ready first. error() says
//            more.
class Transport : public Pooled {
 public:
  virtual ~Transport() = default;

  // The handshake's next step, to be taken at once, and then whenever the descriptor is readable, or writable
  // if wants_write(), until it is done or has failed. Before it is done nothing else is called.
  enum class Step : std::uint8_t { done, pending, failed };
  virtual Step handshake(int fd) noexcept = 0;

  // The count of bytes it has put in `space`, which is not empty; 0 after the peer has ended its bytes in a
  // way that cannot be forged.
  virtual ssize_t receive(int fd, std::span<char> space) noexcept = 0;
  // What receive() would say, but 1 for any count of bytes; those are still there for it.
  virtual ssize_t look(int fd) noexcept = 0;
  // Received bytes wait that the poller does not know of (IOS-76).
  virtual bool has_received() const noexcept = 0;

  // Sends the pieces one after the other, or a part of them: the count of bytes. One counts only when the
  // kernel has taken all it has become, so after EAGAIN or a part the next call begins with the same bytes.
  // Without any pieces sends what else there is, see below.
  virtual ssize_t send(int fd, std::span<const std::string_view> pieces) noexcept = 0;
  // It has bytes of its own to send: of the handshake, or what a send() began.
  virtual bool wants_write() const noexcept = 0;
  // Tells the peer that no more bytes come, as far as the descriptor takes that at once.
  virtual void end_sending(int fd) noexcept = 0;
  // The stream has nothing to do, and may not have for long: gives up what memory it can have again.
  virtual void rest() noexcept {}
  // Whether the kernel does all of it, so that what is sent to the descriptor itself, a file say, is right.
  virtual bool is_in_kernel() const noexcept { return false; }

  // What the last -1 or failed step was; and the same in words, where it knows more.
  virtual std::error_code error() const noexcept = 0;
  virtual std::string error_text() const { return error().message(); }
  // Throws what a handshake failed of: StreamClosedError, unless there is a better one.
  [[noreturn]] virtual void throw_error() const;
  // How long who waits for the handshake does so before the stream is closed. Zero: for ever.
  virtual std::chrono::milliseconds handshake_timeout() const noexcept { return {}; }
};

}  // namespace squall
