#pragma once

#include <squall/iostream/stream/write_buffer.h>
#include <squall/websocket/connection/message.h>
#include <squall/websocket/hub/position.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace squall::websocket {

// A subscriber of a topic, as others see it.
struct PresenceMember {
  std::string client{};  // unique for each subscription of all processes; made by the hub
  std::string user{};    // the program's name for the user: several subscriptions may have the same
  std::string data{};    // small: a name to display, a state

  bool operator==(const PresenceMember&) const = default;
};

// A message to a topic. All threads share it, and nothing changes it.
struct TopicMessage {
  enum class Kind : std::uint8_t {
    message,
    join,   // `member` has subscribed
    leave,  // `member` has gone
  };

  std::string topic{};
  SharedBytes payload{};  // null for join and leave
  MessageType type = MessageType::text;
  bool is_json = false;  // `payload` is a JSON text: an envelope holds it as it is
  Kind kind = Kind::message;
  PresenceMember member{};             // of join and leave
  std::optional<Position> position{};  // nullopt: the message is not in a history
};

using SharedMessage = std::shared_ptr<const TopicMessage>;

}  // namespace squall::websocket
