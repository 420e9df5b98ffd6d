#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/websocket/hub/position.h>
#include <squall/websocket/hub/topic_message.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The texts that subscribers are sent. Pure functions; docs/topics.md has the formats.
//
// Thread:    any.
namespace squall::websocket {

// How a message looks to a subscriber.
enum class Form : std::uint8_t {
  payload,  // as it was published; notices are not sent
  json,     // a JSON object: the type, the topic, the position and the data
  header,   // a line with the type, the topic and the position, and the payload behind it
};

// News of a subscription besides its messages, sent with Form::json and Form::header.
struct Notice {
  enum class Kind : std::uint8_t {
    subscribed,  // messages behind `position` follow
    gap,         // messages in front of `position` are lost: take a snapshot
    reconnect,   // the server ends the connection: connect again at a random time within `window`
  };

  Kind kind = Kind::subscribed;
  std::string_view topic{};  // or pattern; empty for reconnect
  std::string_view reason{};
  std::optional<Position> position{};
  std::optional<TimeSpan>
      window{};  // of `subscribed` also: how long to spread reconnects of a crashed server
};

// `form` is not Form::payload, except for join and leave, which have no payload: it is as Form::json then.
std::string envelope(const TopicMessage& message, Form form);
std::string envelope(const Notice& notice, Form form);

}  // namespace squall::websocket
