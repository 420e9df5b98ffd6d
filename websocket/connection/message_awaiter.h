#pragma once

#include <squall/ioloop/loop/loop_hook.h>
#include <squall/websocket/connection/message.h>

#include <cassert>
#include <coroutine>
#include <cstdint>
#include <exception>
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
  enum class Wanted : std::uint8_t { messages, all };

  // Made by WebSocketConnection.
  MessageAwaiter(WebSocketConnection& connection, Wanted wanted) noexcept
      : connection_(connection), wanted_(wanted) {}
  MessageAwaiter(MessageAwaiter&& other) noexcept : connection_(other.connection_), wanted_(other.wanted_) {
    assert(!other.is_waiting_ && !other.result_ && "this read has begun");
  }
  MessageAwaiter& operator=(MessageAwaiter&&) = delete;
  ~MessageAwaiter() {
    if (is_waiting_) withdraw();
  }

  bool await_ready();
  void await_suspend(std::coroutine_handle<> reader);
  std::optional<Message> await_resume();

 private:
  friend class WebSocketConnection;

  void withdraw() noexcept;

  WebSocketConnection& connection_;
  LoopHook resume_;
  std::optional<Message> result_;
  std::exception_ptr error_;
  Wanted wanted_;
  bool is_waiting_ = false;  // the connection knows this read
};

}  // namespace squall::websocket
