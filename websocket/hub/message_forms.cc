#include <squall/websocket/hub/message_forms.h>

#include <squall/http/message/base64.h>
#include <squall/web/output/server_sent_event.h>

#include <string>
#include <string_view>

namespace squall::websocket {
namespace {

using Kind = TopicMessage::Kind;

bool is_plain(const TopicMessage& message, Form form) noexcept {
  return form == Form::payload && message.kind == Kind::message;
}

PreparedMessage prepare(const TopicMessage& message, Form form) {
  if (is_plain(message, form)) return PreparedMessage(*message.payload, message.type);
  const bool is_binary = form == Form::header && message.type == MessageType::binary;
  return PreparedMessage(envelope(message, form), is_binary ? MessageType::binary : MessageType::text);
}

// Event streams are text.
std::string event_data(const TopicMessage& message, Form form) {
  const bool is_binary = message.type == MessageType::binary && message.kind == Kind::message;
  if (is_binary && form != Form::json) {
    const std::string encoded = http::base64_encode(*message.payload);
    if (form == Form::payload) return encoded;
    TopicMessage text = message;
    text.payload = std::make_shared<const std::string>(encoded);
    return envelope(text, form);
  }
  return is_plain(message, form) ? *message.payload : envelope(message, form);
}

std::string_view event_name(Kind kind) noexcept {
  return kind == Kind::join ? "join" : kind == Kind::leave ? "leave" : "";
}

std::string_view event_name(Notice::Kind kind) noexcept {
  return kind == Notice::Kind::gap ? "gap" : kind == Notice::Kind::reconnect ? "reconnect" : "subscribed";
}

SharedBytes make_event(const TopicMessage& message, Form form) {
  const std::string data = event_data(message, form);
  const std::string id = message.position ? to_string(*message.position) : std::string();
  web::ServerSentEvent event;
  event.data = data;
  event.id = id;
  if (form == Form::payload) event.event = event_name(message.kind);
  std::string block;
  web::append_event(block, event);
  return std::make_shared<const std::string>(std::move(block));
}

}  // namespace

const PreparedMessage& MessageForms::for_websocket(Form form) const {
  const auto index = static_cast<std::size_t>(form);
  std::call_once(made_[index], [&] { prepared_[index].emplace(prepare(*message_, form)); });
  return *prepared_[index];
}

const SharedBytes& MessageForms::for_event_stream(Form form) const {
  const auto index = static_cast<std::size_t>(form);
  std::call_once(made_[kForms + index], [&] { events_[index] = make_event(*message_, form); });
  return events_[index];
}

std::string notice_event(const Notice& notice, Form form) {
  const std::string data = envelope(notice, form);
  const std::string id = notice.position ? to_string(*notice.position) : std::string();
  web::ServerSentEvent event;
  event.data = data;
  event.id = id;
  if (form == Form::payload) event.event = event_name(notice.kind);
  std::string block;
  web::append_event(block, event);
  return block;
}

}  // namespace squall::websocket
