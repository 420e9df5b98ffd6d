#include <squall/websocket/hub/redis_envelope.h>

#include <squall/ioloop/base/parse_decimal.h>
#include <squall/websocket/hub/topic.h>

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <optional>
#include <utility>

namespace squall::websocket {
namespace {

// The text before the next space, which is removed with it; without a space, the whole text.
std::string_view take_field(std::string_view& text) {
  const std::size_t end = text.find(' ');
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return field;
}

std::string sized(std::string_view text) { return fmt::format("{} {}", text.size(), text); }

std::optional<std::string_view> take_sized(std::string_view& text) {
  const std::size_t space = text.find(' ');
  const auto size = parse_decimal<std::size_t>(text.substr(0, space));
  if (space == std::string_view::npos || !size || *size > text.size() - space - 1) return std::nullopt;
  const std::string_view field = text.substr(space + 1, *size);
  text.remove_prefix(space + 1 + *size);
  return field;
}

std::string payload_of(const TopicMessage& message) {
  if (message.kind != TopicMessage::Kind::message)
    return sized(message.member.client) + member_text(message.member);
  return message.payload ? *message.payload : std::string();
}

bool read_kind(std::string_view letters, TopicMessage& message) {
  if (letters.size() != 3) return false;
  switch (letters[0]) {
    case 'm': message.kind = TopicMessage::Kind::message; break;
    case 'j': message.kind = TopicMessage::Kind::join; break;
    case 'l': message.kind = TopicMessage::Kind::leave; break;
    default: return false;
  }
  if (letters[1] != 't' && letters[1] != 'b') return false;
  message.type = letters[1] == 't' ? MessageType::text : MessageType::binary;
  message.is_json = letters[2] == 'j';
  return letters[2] == 'j' || letters[2] == '-';
}

bool read_payload(std::string_view payload, TopicMessage& message) {
  if (message.kind == TopicMessage::Kind::message) {
    message.payload = std::make_shared<const std::string>(payload);
    return true;
  }
  const std::optional<std::string_view> client = take_sized(payload);
  if (!client) return false;
  message.member.client = *client;
  return parse_member(payload, message.member);
}

}  // namespace

std::string member_text(const PresenceMember& member) { return sized(member.user) + sized(member.data); }

bool parse_member(std::string_view text, PresenceMember& member) {
  const std::optional<std::string_view> user = take_sized(text);
  const std::optional<std::string_view> data = user ? take_sized(text) : std::nullopt;
  if (!data) return false;
  member.user = *user;
  member.data = *data;
  return true;
}

std::string envelope_body(const RedisEnvelope& envelope) {
  const TopicMessage& message = envelope.message;
  const char kind = message.kind == TopicMessage::Kind::message ? 'm'
                    : message.kind == TopicMessage::Kind::join  ? 'j'
                                                                : 'l';
  return fmt::format("{} {:016x} {} {}{}{} {}\n{}", envelope.partitions, envelope.sender, envelope.number,
                     kind, message.type == MessageType::text ? 't' : 'b', message.is_json ? 'j' : '-',
                     message.topic, payload_of(message));
}

std::string envelope_text(const RedisEnvelope& envelope) {
  return fmt::format("{} - {}", RedisEnvelope::kVersion, envelope_body(envelope));
}

EnvelopeResult parse_envelope(std::string_view text, RedisEnvelope& envelope) {
  const std::size_t end = text.find('\n');
  std::string_view head = text.substr(0, end);
  const auto version = parse_decimal<unsigned>(take_field(head));
  if (!version || *version == 0) return EnvelopeResult::malformed;
  if (*version > RedisEnvelope::kVersion) return EnvelopeResult::newer;
  if (end == std::string_view::npos) return EnvelopeResult::malformed;
  TopicMessage& message = envelope.message;
  const std::string_view position = take_field(head);
  if (position != "-") {
    message.position = parse_position(position);
    if (!message.position) return EnvelopeResult::malformed;
  }
  const auto partitions = parse_decimal<std::uint32_t>(take_field(head));
  const std::string_view sender = take_field(head);
  const auto [stop, error] =
      std::from_chars(sender.data(), sender.data() + sender.size(), envelope.sender, 16);
  const auto number = parse_decimal<std::uint64_t>(take_field(head));
  if (!partitions || error != std::errc() || stop != sender.data() + sender.size() || !number)
    return EnvelopeResult::malformed;
  envelope.partitions = *partitions;
  envelope.number = *number;
  if (!read_kind(take_field(head), message)) return EnvelopeResult::malformed;
  message.topic = take_field(head);
  if (!is_topic(message.topic) || !read_payload(text.substr(end + 1), message))
    return EnvelopeResult::malformed;
  return EnvelopeResult::ok;
}

}  // namespace squall::websocket
