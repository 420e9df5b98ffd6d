#pragma once

#include <squall/iostream/stream/write_awaiter.h>
#include <squall/websocket/connection/closed_error.h>

#include <coroutine>
#include <cstdint>
#include <utility>

namespace squall::websocket {

class WebSocketConnection;

// A frame that is sent: the result of WebSocketConnection::write_message(), ping() and pong().
//
// Lifetime:  borrows the connection, which may be destroyed while this waits. The frame is queued already,
//            and is sent whether the awaiter is awaited, dropped, or destroyed while it waits. May be moved
//            until it is awaited.
class SendAwaiter {
 public:
  static constexpr bool kMayBeDropped = true;
  // Made by WebSocketConnection, which has rested `rests` times.
  SendAwaiter(WriteAwaiter write, const WebSocketConnection& connection, std::uint32_t rests) noexcept
      : write_(std::move(write)), connection_(&connection), rests_(rests) {}

  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiter) { write_.await_suspend(waiter); }
  // Throws WebSocketClosedError if the connection ended before the kernel had taken all of the frame.
  void await_resume() {
    if (is_sent_) return;
    try {
      write_.await_resume();
    } catch (const StreamClosedError& error) {
      throw WebSocketClosedError(error.code());
    }
  }

 private:
  WriteAwaiter write_;  // its stream exists until the connection rests
  const WebSocketConnection* connection_;
  std::uint32_t rests_;
  bool is_sent_ = false;
};

}  // namespace squall::websocket
