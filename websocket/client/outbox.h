#pragma once

#include <squall/websocket/connection/message.h>
#include <squall/websocket/connection/send_awaiter.h>

#include <coroutine>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace squall::websocket {

// The messages of a ReconnectingClient that wait for a connection, in their order.
//
// Thread:    one.
class Outbox {
 public:
  struct Limits {
    std::size_t max_messages = 1000;
    std::size_t max_bytes = 1024 * 1024;  // of the payloads, and 64 bytes for each message
  };
  struct Waiting {
    MessageType type;
    std::string data;
  };

  explicit Outbox(const Limits& limits) noexcept : limits_(limits) {}

  bool empty() const noexcept { return messages_.empty(); }
  std::size_t size() const noexcept { return messages_.size(); }
  // False, and `data` is unchanged, if the message exceeds a limit.
  bool add(MessageType type, std::string&& data) {
    const std::size_t size = cost(data);
    if (messages_.size() >= limits_.max_messages || size > limits_.max_bytes - bytes_) return false;
    messages_.push_back(Waiting{type, std::move(data)});
    bytes_ += size;
    return true;
  }
  const Waiting& front() const noexcept { return messages_.front(); }
  void drop_front() noexcept {
    bytes_ -= cost(messages_.front().data);
    messages_.pop_front();
  }
  void clear() noexcept {
    messages_.clear();
    bytes_ = 0;
  }

 private:
  static std::size_t cost(const std::string& data) noexcept { return data.size() + 64; }

  Limits limits_;
  std::deque<Waiting> messages_;
  std::size_t bytes_ = 0;  // at most max_bytes
};

// A message of a ReconnectingClient: the result of its write_message().
//
// Lifetime:  as SendAwaiter. Await it before the next read of the client, which may destroy the connection.
class ClientSendAwaiter {
 public:
  static constexpr bool kMayBeDropped = true;
  // nullopt: the message waits in the client's outbox.
  explicit ClientSendAwaiter(std::optional<SendAwaiter> send) noexcept : send_(std::move(send)) {}

  bool await_ready() { return !send_ || send_->await_ready(); }
  void await_suspend(std::coroutine_handle<> waiter) { send_->await_suspend(waiter); }
  // Throws WebSocketClosedError if the connection ended before the kernel had taken all of the message.
  void await_resume() {
    if (send_) send_->await_resume();
  }

 private:
  std::optional<SendAwaiter> send_;
};

}  // namespace squall::websocket
