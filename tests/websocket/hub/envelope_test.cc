// The envelopes of messages and notices.

#include <squall/websocket/hub/envelope.h>

#include <chrono>
#include <memory>
#include <string>

#include "support/catch.h"

namespace squall::websocket::envelope_test {
namespace {

using namespace std::chrono_literals;

TopicMessage message_of(std::string payload) {
  TopicMessage message;
  message.topic = "a.b";
  message.payload = std::make_shared<const std::string>(std::move(payload));
  message.position = Position{1, 42};
  return message;
}

TEST_CASE("a JSON envelope has the topic, the position, and the payload as a string", "[envelope]") {
  CHECK(envelope(message_of("say \"hi\"\n"), Form::json) ==
        R"({"type":"message","topic":"a.b","position":"0000000000000001-42","data":"say \"hi\"\n"})");
  TopicMessage message = message_of("");
  message.position.reset();
  CHECK(envelope(message, Form::json) == R"({"type":"message","topic":"a.b","data":""})");
}

TEST_CASE("a JSON envelope holds JSON as it is, and other bytes in base64", "[envelope]") {
  TopicMessage json = message_of(R"({"a": [1,2]})");
  json.is_json = true;
  CHECK(envelope(json, Form::json) ==
        R"({"type":"message","topic":"a.b","position":"0000000000000001-42","data":{"a": [1,2]}})");
  TopicMessage binary = message_of(std::string("\0\xff", 2));
  binary.type = MessageType::binary;
  CHECK(envelope(binary, Form::json) == R"({"type":"message","topic":"a.b","position":"0000000000000001-42",)"
                                        R"("encoding":"base64","data":"AP8="})");
}

TEST_CASE("a header is a line with the type, the topic and the position", "[envelope]") {
  CHECK(envelope(message_of("two\nlines"), Form::header) == "message a.b 0000000000000001-42\ntwo\nlines");
  TopicMessage message = message_of("");
  message.position.reset();
  CHECK(envelope(message, Form::header) == "message a.b -\n");
}

TEST_CASE("a topic with quotes stays one string", "[envelope]") {
  TopicMessage message = message_of("x");
  message.topic = R"(a"},{"b)";
  CHECK(envelope(message, Form::json) ==
        R"({"type":"message","topic":"a\"},{\"b","position":"0000000000000001-42","data":"x"})");
}

TEST_CASE("joins and leaves tell the member", "[envelope]") {
  TopicMessage message;
  message.topic = "room";
  message.kind = TopicMessage::Kind::join;
  message.member = {"c-1", "ann", "\"A\""};
  const std::string json = R"({"type":"join","topic":"room","client":"c-1","user":"ann","data":"\"A\""})";
  CHECK(envelope(message, Form::json) == json);
  CHECK(envelope(message, Form::payload) == json);
  message.kind = TopicMessage::Kind::leave;
  CHECK(envelope(message, Form::header) ==
        "leave room -\n{\"client\":\"c-1\",\"user\":\"ann\",\"data\":\"\\\"A\\\"\"}");
}

TEST_CASE("notices tell the position, the reason and the window", "[envelope]") {
  const Notice gap{
      .kind = Notice::Kind::gap, .topic = "a.b", .reason = "forgotten", .position = Position{1, 7}};
  CHECK(envelope(gap, Form::json) ==
        R"({"type":"gap","topic":"a.b","reason":"forgotten","position":"0000000000000001-7"})");
  CHECK(envelope(gap, Form::header).starts_with("gap a.b 0000000000000001-7\n{"));
  const Notice subscribed{.kind = Notice::Kind::subscribed, .topic = "a.>", .window = 1500ms};
  CHECK(envelope(subscribed, Form::json) ==
        R"({"type":"subscribed","topic":"a.>","reconnect_within_ms":1500})");
  const Notice reconnect{.kind = Notice::Kind::reconnect, .window = 10s};
  CHECK(envelope(reconnect, Form::header) ==
        "reconnect - -\n{\"type\":\"reconnect\",\"reconnect_within_ms\":10000}");
}

}  // namespace
}  // namespace squall::websocket::envelope_test
