#pragma once

#include <squall/websocket/codec/frame.h>

#include <cstdint>
#include <string_view>

namespace squall::websocket {

enum class MessageType : std::uint8_t {
  text,  // UTF-8
  binary,
  ping,  // only from WebSocketConnection::read_any()
  pong,  // only from WebSocketConnection::read_any()
};

// A received message. The function that returns it says how long `data` is valid.
struct Message {
  MessageType type = MessageType::text;
  std::string_view data;

  bool is_text() const noexcept { return type == MessageType::text; }

  bool operator==(const Message&) const = default;
};

// The opcode of a message that is to be sent. Throws std::invalid_argument for pings and pongs; asserts that
// text is UTF-8.
Opcode opcode_of(MessageType type, std::string_view data);

}  // namespace squall::websocket
