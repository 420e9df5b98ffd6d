#pragma once

#include <squall/websocket/codec/frame.h>
#include <squall/websocket/connection/prepared_message.h>

#include <cstddef>
#include <string>
#include <utility>
#include <variant>

namespace squall::websocket {

// A message that waits to be sent: one of its own, or a shared one.
class OutgoingMessage {
 public:
  OutgoingMessage(Opcode opcode, std::string&& payload) : content_(Own{opcode, std::move(payload)}) {}
  explicit OutgoingMessage(PreparedMessage message) noexcept : content_(std::move(message)) {}

  std::size_t size() const noexcept {
    const PreparedMessage* const shared = this->shared();
    return shared ? shared->size() : std::get<Own>(content_).payload.size();
  }
  // The bytes that count in QueueOptions::max_bytes.
  std::size_t cost() const noexcept { return size() + kCost; }

  // Null if the message is one of its own, which has opcode() and payload().
  const PreparedMessage* shared() const noexcept { return std::get_if<PreparedMessage>(&content_); }
  Opcode opcode() const noexcept { return std::get<Own>(content_).opcode; }
  std::string& payload() noexcept { return std::get<Own>(content_).payload; }

 private:
  struct Own {
    Opcode opcode;
    std::string payload;
  };

  static constexpr std::size_t kCost = 64;  // the memory of a waiting message without its payload

  std::variant<Own, PreparedMessage> content_;
};

}  // namespace squall::websocket
