#pragma once

#include <squall/websocket/hub/topic_message.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace squall::websocket {

// The form of a message in channels and streams of Redis:
//
//     VERSION POSITION PARTITIONS SENDER NUMBER KIND TOPIC LF PAYLOAD
//
// The position is `-` without a history. SENDER is the process, with 16 hexadecimal digits, and NUMBER counts
// its messages. KIND is three letters: message, join or leave; text or binary; JSON or not. The payload of
// joins and leaves is the member. Further fields between TOPIC and LF are ignored, so that later versions can
// add some.
//
// Thread:    any. Pure functions.
struct RedisEnvelope {
  static constexpr unsigned kVersion = 1;

  TopicMessage message{};
  std::uint64_t sender = 0;
  std::uint64_t number = 0;
  std::uint32_t partitions = 1;  // of the sender
};

// All behind the position: a script of Redis adds the position.
std::string envelope_body(const RedisEnvelope& envelope);
// The whole of an envelope without a position.
std::string envelope_text(const RedisEnvelope& envelope);

enum class EnvelopeResult : std::uint8_t {
  ok,
  newer,      // of a version that this program does not know: skip it
  malformed,  // not of Squall
};
EnvelopeResult parse_envelope(std::string_view text, RedisEnvelope& envelope);

// A member without its client, and its reverse; false if it is malformed.
std::string member_text(const PresenceMember& member);
bool parse_member(std::string_view text, PresenceMember& member);

}  // namespace squall::websocket
