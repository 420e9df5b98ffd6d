#include <squall/websocket/hub/envelope.h>

#include <squall/http/message/base64.h>
#include <squall/websocket/hub/json_text.h>

#include <fmt/format.h>

#include <chrono>
#include <iterator>

namespace squall::websocket {
namespace {

// An object that is written member by member.
class JsonObject {
 public:
  void text(std::string_view name, std::string_view value) { raw(name, json_string(value)); }
  void raw(std::string_view name, std::string_view json) {
    fmt::format_to(std::back_inserter(out_), "{}\"{}\":{}", out_.empty() ? "{" : ",", name, json);
  }
  void position(const std::optional<Position>& position) {
    if (position) text("position", to_string(*position));
  }
  std::string finish() { return std::move(out_ += '}'); }

 private:
  std::string out_;
};

std::string_view name_of(TopicMessage::Kind kind) noexcept {
  switch (kind) {
    case TopicMessage::Kind::join: return "join";
    case TopicMessage::Kind::leave: return "leave";
    default: return "message";
  }
}

std::string_view name_of(Notice::Kind kind) noexcept {
  switch (kind) {
    case Notice::Kind::gap: return "gap";
    case Notice::Kind::reconnect: return "reconnect";
    default: return "subscribed";
  }
}

void add_data(JsonObject& object, const TopicMessage& message) {
  if (message.type == MessageType::binary) {
    object.text("encoding", "base64");
    object.text("data", http::base64_encode(*message.payload));
  } else if (message.is_json) {
    object.raw("data", *message.payload);
  } else {
    object.text("data", *message.payload);
  }
}

void add_member(JsonObject& object, const PresenceMember& member) {
  object.text("client", member.client);
  object.text("user", member.user);
  object.text("data", member.data);
}

std::string json_envelope(const TopicMessage& message) {
  JsonObject object;
  object.text("type", name_of(message.kind));
  object.text("topic", message.topic);
  object.position(message.position);
  if (message.kind == TopicMessage::Kind::message) {
    add_data(object, message);
  } else {
    add_member(object, message.member);
  }
  return object.finish();
}

std::string json_envelope(const Notice& notice) {
  JsonObject object;
  object.text("type", name_of(notice.kind));
  if (!notice.topic.empty()) object.text("topic", notice.topic);
  if (!notice.reason.empty()) object.text("reason", notice.reason);
  object.position(notice.position);
  if (notice.window) {
    const auto window = std::chrono::duration_cast<std::chrono::milliseconds>(*notice.window);
    object.raw("reconnect_within_ms", fmt::to_string(window.count()));
  }
  return object.finish();
}

std::string header_line(std::string_view type, std::string_view topic,
                        const std::optional<Position>& position) {
  return fmt::format("{} {} {}\n", type, topic.empty() ? "-" : topic, position ? to_string(*position) : "-");
}

}  // namespace

std::string envelope(const TopicMessage& message, Form form) {
  if (form != Form::header) return json_envelope(message);
  std::string text = header_line(name_of(message.kind), message.topic, message.position);
  if (message.kind == TopicMessage::Kind::message) return text += *message.payload;
  JsonObject object;
  add_member(object, message.member);
  return text += object.finish();
}

std::string envelope(const Notice& notice, Form form) {
  if (form != Form::header) return json_envelope(notice);
  std::string text = header_line(name_of(notice.kind), notice.topic, notice.position);
  return text += json_envelope(notice);
}

}  // namespace squall::websocket
