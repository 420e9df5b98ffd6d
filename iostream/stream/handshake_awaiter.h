#pragma once

#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/timer_heap.h>

#include <coroutine>

namespace squall {

class IOLoop;
class IOStream;

// A stream's handshake: what IOStream::start_tls() and handshake() return. Dropping it leaves the handshake
// to go on by itself, without a limit of time.
//
// Awaiting it throws TLSError (or what else the transport has to say) if the handshake fails, and
// TimeoutError if it takes longer than the TLSContext allows; the stream is closed then. StreamClosedError if
// it was closed otherwise.
class [[nodiscard]] HandshakeAwaiter {
 public:
  HandshakeAwaiter(const HandshakeAwaiter&) = delete;
  HandshakeAwaiter& operator=(const HandshakeAwaiter&) = delete;
  ~HandshakeAwaiter();

  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiter);
  void await_resume();

 private:
  friend class IOStream;
  explicit HandshakeAwaiter(IOStream& stream) noexcept;
  void time_out() noexcept;

  IOStream* stream_;  // null once the stream is gone
  IOLoop* loop_;
  LoopHook resume_;
  Timeout timer_;
  bool waiting_ = false;
  bool timed_out_ = false;
};

}  // namespace squall
