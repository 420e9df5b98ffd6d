#pragma once

#include <squall/iostream/stream/write_awaiter.h>
#include <squall/websocket/connection/closed_error.h>

#include <coroutine>
#include <utility>

namespace squall::websocket {

// A frame that is sent: the result of WebSocketConnection::write_message(), ping() and pong().
//
// Lifetime:  borrows the connection, which may be destroyed while this waits. The frame is queued already,
//            and is sent whether the awaiter is awaited, dropped, or destroyed while it waits. May be moved
//            until it is awaited.
class SendAwaiter {
 public:
  static constexpr bool kMayBeDropped = true;
  // Made by WebSocketConnection.
  explicit SendAwaiter(WriteAwaiter write) noexcept : write_(std::move(write)) {}

  bool await_ready() { return write_.await_ready(); }
  void await_suspend(std::coroutine_handle<> waiter) { write_.await_suspend(waiter); }
  // Throws WebSocketClosedError if the connection ended before the kernel had taken all of the frame.
  void await_resume() {
    try {
      write_.await_resume();
    } catch (const StreamClosedError& error) {
      throw WebSocketClosedError(error.code());
    }
  }

 private:
  WriteAwaiter write_;
};

}  // namespace squall::websocket
