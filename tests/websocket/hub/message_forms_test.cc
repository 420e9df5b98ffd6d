// A message in the forms in which it is sent.

#include <squall/websocket/hub/message_forms.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.h"

namespace squall::websocket::message_forms_test {
namespace {

TopicMessage message_of(std::string payload, MessageType type = MessageType::text) {
  TopicMessage message;
  message.topic = "a";
  message.payload = std::make_shared<const std::string>(std::move(payload));
  message.type = type;
  message.position = Position{1, 2};
  return message;
}

MessageForms forms_of(TopicMessage message) {
  return MessageForms(std::make_shared<const TopicMessage>(std::move(message)));
}

TEST_CASE("each form is made once, with the type of its content", "[message_forms]") {
  const MessageForms text = forms_of(message_of("hello"));
  CHECK(text.for_websocket(Form::payload).data() == "hello");
  CHECK(text.for_websocket(Form::header).data() == "message a 0000000000000001-2\nhello");
  CHECK(text.for_websocket(Form::json).data().starts_with("{\"type\":\"message\""));
  for (const Form form : {Form::payload, Form::json, Form::header})
    CHECK(&text.for_websocket(form) == &text.for_websocket(form));
  const MessageForms binary = forms_of(message_of("\xff", MessageType::binary));
  CHECK(binary.for_websocket(Form::payload).type() == MessageType::binary);
  CHECK(binary.for_websocket(Form::header).type() == MessageType::binary);
  CHECK(binary.for_websocket(Form::json).type() == MessageType::text);
}

TEST_CASE("an event has the position as its id, and binary payloads in base64", "[message_forms]") {
  const MessageForms text = forms_of(message_of("two\nlines"));
  CHECK(*text.for_event_stream(Form::payload) == "id: 0000000000000001-2\ndata: two\ndata: lines\n\n");
  CHECK(&text.for_event_stream(Form::payload) == &text.for_event_stream(Form::payload));
  const MessageForms binary = forms_of(message_of("\xff", MessageType::binary));
  CHECK(*binary.for_event_stream(Form::payload) == "id: 0000000000000001-2\ndata: /w==\n\n");
  CHECK(
      binary.for_event_stream(Form::header)->ends_with("data: message a 0000000000000001-2\ndata: /w==\n\n"));
}

TEST_CASE("joins, leaves and notices are named events for those who get payloads", "[message_forms]") {
  TopicMessage join;
  join.topic = "a";
  join.kind = TopicMessage::Kind::join;
  const MessageForms forms = forms_of(join);
  CHECK(forms.for_event_stream(Form::payload)->starts_with("event: join\ndata: {"));
  CHECK(forms.for_event_stream(Form::json)->starts_with("data: {\"type\":\"join\""));
  CHECK(forms.for_websocket(Form::payload).data().starts_with("{\"type\":\"join\""));
  const Notice gap{.kind = Notice::Kind::gap, .topic = "a", .position = Position{1, 9}};
  CHECK(notice_event(gap, Form::payload).find("event: gap\n") != std::string::npos);
  CHECK(notice_event(gap, Form::json).find("event:") == std::string::npos);
  CHECK(notice_event(gap, Form::json).find("id: 0000000000000001-9\n") != std::string::npos);
}

TEST_CASE("threads share the forms of a message", "[message_forms][threads]") {
  for (int round = 0; round < 20; ++round) {
    const MessageForms forms = forms_of(message_of("hello"));
    std::vector<const PreparedMessage*> seen(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < seen.size(); ++i)
      threads.emplace_back([&, i] { seen[i] = &forms.for_websocket(Form::json); });
    for (std::thread& thread : threads) thread.join();
    for (const PreparedMessage* const one : seen) CHECK(one == seen[0]);
  }
}

}  // namespace
}  // namespace squall::websocket::message_forms_test
