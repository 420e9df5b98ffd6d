#include <squall/websocket/hub/redis_envelope.h>

#include <memory>
#include <string>

#include "support/catch.h"

namespace squall::websocket::redis_envelope_test {
namespace {

RedisEnvelope sample(std::string payload = "hello\nworld") {
  RedisEnvelope envelope;
  envelope.message.topic = "prices.eur";
  envelope.message.payload = std::make_shared<const std::string>(std::move(payload));
  envelope.sender = 0xc0ffee;
  envelope.number = 42;
  envelope.partitions = 16;
  return envelope;
}

TEST_CASE("an envelope has version, position, partitions, sender, kind and topic in its first line",
          "[redis_envelope]") {
  CHECK(envelope_text(sample()) == "1 - 16 0000000000c0ffee 42 mt- prices.eur\nhello\nworld");
}

TEST_CASE("an envelope is parsed to what it was made of", "[redis_envelope]") {
  for (const bool is_binary : {false, true}) {
    RedisEnvelope envelope = sample(std::string("\0\n \xff", 4));
    if (is_binary) envelope.message.type = MessageType::binary;
    envelope.message.is_json = !is_binary;
    RedisEnvelope parsed;
    REQUIRE(parse_envelope("1 00c0ffee00c0ffee-7 " + envelope_body(envelope), parsed) == EnvelopeResult::ok);
    CHECK(parsed.message.topic == "prices.eur");
    CHECK(*parsed.message.payload == *envelope.message.payload);
    CHECK(parsed.message.type == envelope.message.type);
    CHECK(parsed.message.is_json == envelope.message.is_json);
    CHECK(parsed.message.position == Position{0x00c0ffee00c0ffee, 7});
    CHECK(parsed.sender == envelope.sender);
    CHECK(parsed.number == 42);
    CHECK(parsed.partitions == 16);
  }
}

TEST_CASE("joins and leaves carry the member", "[redis_envelope]") {
  RedisEnvelope envelope = sample();
  envelope.message.payload = nullptr;
  envelope.message.member = {"c 1", "Ann\nLee", "7 \xc3\xa9"};
  for (const auto kind : {TopicMessage::Kind::join, TopicMessage::Kind::leave}) {
    envelope.message.kind = kind;
    RedisEnvelope parsed;
    REQUIRE(parse_envelope(envelope_text(envelope), parsed) == EnvelopeResult::ok);
    CHECK(parsed.message.kind == kind);
    CHECK(parsed.message.member == envelope.message.member);
    CHECK(!parsed.message.payload);
  }
}

TEST_CASE("a newer version is recognised whatever follows, and further fields of this version are ignored",
          "[redis_envelope]") {
  RedisEnvelope parsed;
  CHECK(parse_envelope("2 anything", parsed) == EnvelopeResult::newer);
  CHECK(parse_envelope("4294967295", parsed) == EnvelopeResult::newer);
  REQUIRE(parse_envelope("1 - 16 c0ffee 42 mt- a.b more fields\nx", parsed) == EnvelopeResult::ok);
  CHECK(parsed.message.topic == "a.b");
}

TEST_CASE("bytes of other programs are malformed", "[redis_envelope]") {
  for (const char* text :
       {"", "hello", "0 - 16 c0ffee 42 mt- a\nx", "1", "1 - 16 c0ffee 42 mt- a", "1 x 16 c0ffee 42 mt- a\n",
        "1 - x c0ffee 42 mt- a\n", "1 - 16 xyz 42 mt- a\n", "1 - 16 c0ffee x mt- a\n",
        "1 - 16 c0ffee 42 xt- a\n", "1 - 16 c0ffee 42 mx- a\n", "1 - 16 c0ffee 42 mtx a\n",
        "1 - 16 c0ffee 42 mt a\n", "1 - 16 c0ffee 42 mt- \n", "1 - 16 c0ffee 42 mt- a.*\n",
        "1 - 16 c0ffee 42 jt- a\nx", "1 - 16 c0ffee 42 jt- a\n9 abc",
        "1 - 16 c0ffee 42 jt- a\n1 a1 b99999999999999999999 c", "99999999999999999999 x"}) {
    RedisEnvelope parsed;
    CAPTURE(text);
    CHECK(parse_envelope(text, parsed) == EnvelopeResult::malformed);
  }
}

TEST_CASE("an envelope that is cut at any byte is malformed, newer, or has a shorter payload",
          "[redis_envelope]") {
  const std::string text = envelope_text(sample());
  for (std::size_t size = 0; size < text.size(); ++size) {
    RedisEnvelope parsed;
    const EnvelopeResult result = parse_envelope(text.substr(0, size), parsed);
    const bool has_head = size > text.find('\n');
    CHECK((result == EnvelopeResult::ok) == has_head);
  }
}

}  // namespace
}  // namespace squall::websocket::redis_envelope_test
