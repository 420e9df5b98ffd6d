#pragma once

#include <squall/websocket/connection/message.h>
#include <squall/websocket/connection/pending_read.h>

#include <cassert>
#include <coroutine>
#include <optional>

namespace squall::websocket {

class WebSocketConnection;

// A read that may wait: the result of WebSocketConnection::read_message() and read_any(). Gives std::nullopt
// once the connection is closed.
//
// Lifetime:  borrows the connection, which must outlive it. Destroying the awaiter withdraws the read: no
//            message is lost, and the connection can be read again. May be moved until it is awaited.
// Errors:    std::logic_error if another read waits, or the connection has a receiver.
class [[nodiscard]] MessageAwaiter {
 public:
  using Wanted = PendingRead::Wanted;

  // Made by WebSocketConnection.
  MessageAwaiter(WebSocketConnection& connection, Wanted wanted) noexcept
      : connection_(connection), read_(wanted) {}
  MessageAwaiter(MessageAwaiter&& other) noexcept
      : connection_(other.connection_), read_(other.read_.wanted) {
    assert(!other.read_.is_waiting && !other.read_.result && "this read has begun");
  }
  MessageAwaiter& operator=(MessageAwaiter&&) = delete;
  ~MessageAwaiter() {
    if (read_.is_waiting) withdraw();
  }

  bool await_ready();
  void await_suspend(std::coroutine_handle<> reader);
  std::optional<Message> await_resume();

 private:
  void withdraw() noexcept;

  WebSocketConnection& connection_;
  PendingRead read_;
};

}  // namespace squall::websocket
