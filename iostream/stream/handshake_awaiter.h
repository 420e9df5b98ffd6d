#pragma once

#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/loop_ref.h>
#include <squall/ioloop/loop/timer_heap.h>

#include <cassert>
#include <coroutine>
#include <cstdint>

namespace squall {

namespace detail {
class StreamLink;
}

// A stream's handshake: the result of IOStream::start_tls() and handshake(). If the awaiter is dropped, the
// handshake continues without a time limit. May be moved until it is awaited.
//
// Lifetime:  borrows the stream, which may be destroyed while the awaiter waits, and the loop.
// Errors:    TLSError, or another error of the transport, if the handshake fails. TimeoutError if the
//            handshake takes longer than the TLSContext allows. The stream is closed then. StreamClosedError
//            if it was closed otherwise.
class [[nodiscard]] HandshakeAwaiter {
 public:
  // Made by IOStream.
  explicit HandshakeAwaiter(detail::StreamLink& link) noexcept;
  HandshakeAwaiter(HandshakeAwaiter&& other) noexcept : link_(other.link_), loop_(other.loop_) {
    assert(other.state_ == State::idle && "this handshake has begun to wait");
  }
  HandshakeAwaiter& operator=(HandshakeAwaiter&&) = delete;
  ~HandshakeAwaiter();

  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiter);
  void await_resume();

 private:
  friend class detail::StreamLink;
  enum class State : std::uint8_t { idle, waiting, timed_out };

  // Resumes the waiter in a later turn.
  void wake() noexcept;
  void on_stream_destroyed() noexcept { link_ = nullptr; }
  void time_out() noexcept;

  detail::StreamLink* link_;  // null once the stream is gone
  LoopRef loop_;
  LoopHook resume_;
  Timeout timer_;
  State state_ = State::idle;
};

}  // namespace squall
