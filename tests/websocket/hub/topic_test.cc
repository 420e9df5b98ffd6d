// Names of topics, and patterns.

#include <squall/websocket/hub/topic.h>

#include <string>
#include <string_view>

#include "support/catch.h"
#include "support/growth.h"

namespace squall::websocket::topic_test {
namespace {

std::string fault(std::string_view pattern) {
  try {
    check_pattern(pattern);
    return "none";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

std::string tokens(std::size_t count) {
  std::string topic = "a";
  for (std::size_t i = 1; i < count; ++i) topic += ".a";
  return topic;
}

TEST_CASE("tokens of printing characters are a topic, and a pattern", "[topic]") {
  for (const std::string_view topic : {"a", "a.b", "prices.eur", "A-1_b:c/d@e",
                                       "stra\xc3\x9f"
                                       "e.\xe6\x9d\xb1"}) {
    CHECK(is_topic(topic));
    CHECK(is_pattern(topic));
    CHECK_FALSE(has_wildcard(topic));
  }
  CHECK(is_topic(std::string(kMaxTopicSize, 'x')));
  CHECK(is_topic(tokens(kMaxTopicTokens)));
}

TEST_CASE("wildcards are whole tokens of a pattern, and > is its last one", "[topic]") {
  for (const std::string_view pattern : {"*", ">", "a.*", "*.a", "a.*.b", "*.*", "a.>", "*.>"}) {
    CHECK(is_pattern(pattern));
    CHECK_FALSE(is_topic(pattern));
    CHECK(has_wildcard(pattern));
  }
}

TEST_CASE("a bad topic is refused with its fault", "[topic]") {
  CHECK(fault("") == "bad topic ``: it is empty");
  CHECK(fault("a..b") == "bad topic `a..b`: a token is empty");
  CHECK(fault(".a") == "bad topic `.a`: a token is empty");
  CHECK(fault("a.") == "bad topic `a.`: a token is empty");
  CHECK(fault("a b") == "bad topic `a b`: a token has a space or a control character");
  CHECK(fault("a\x7f") == "bad topic `a\x7f`: a token has a space or a control character");
  CHECK(fault("a.b*") == "bad topic `a.b*`: a wildcard must be a whole token of a pattern");
  CHECK(fault("a.>b") == "bad topic `a.>b`: a wildcard must be a whole token of a pattern");
  CHECK(fault("a.>.b") == "bad topic `a.>.b`: `>` is not its last token");
  CHECK(fault(">.>") == "bad topic `>.>`: `>` is not its last token");
  CHECK(fault("a\xff") == "bad topic `a\xff`: it is not UTF-8");
  CHECK(fault(tokens(kMaxTopicTokens + 1)).ends_with("it has more than 16 tokens"));
  CHECK(fault(std::string(10'000, 'x')).ends_with("it is longer than 255 bytes"));
  CHECK(fault(std::string(10'000, 'x')).size() < 400);
  CHECK_THROWS_AS(check_topic("a.*"), std::invalid_argument);
  CHECK_THROWS_AS(check_topic("a.>"), std::invalid_argument);
  CHECK_FALSE(is_topic(std::string_view("a\0b", 3)));
}

TEST_CASE("* matches one token, and > one or more", "[topic]") {
  CHECK(topic_matches("a.b", "a.b"));
  CHECK_FALSE(topic_matches("a.b", "a"));
  CHECK_FALSE(topic_matches("a.b", "a.b.c"));
  CHECK_FALSE(topic_matches("a.b", "a.c"));
  CHECK(topic_matches("*", "a"));
  CHECK_FALSE(topic_matches("*", "a.b"));
  CHECK(topic_matches("a.*.c", "a.b.c"));
  CHECK_FALSE(topic_matches("a.*", "a"));
  CHECK_FALSE(topic_matches("a.*", "a.b.c"));
  CHECK(topic_matches("a.>", "a.b"));
  CHECK(topic_matches("a.>", "a.b.c.d"));
  CHECK_FALSE(topic_matches("a.>", "a"));
  CHECK_FALSE(topic_matches("a.>", "b.c"));
  CHECK(topic_matches(">", "a"));
  CHECK(topic_matches("*.>", "a.b"));
  CHECK_FALSE(topic_matches("*.>", "a"));
}

// Channels of a broker are named for the partition, so these numbers may never change.
TEST_CASE("the partition of a topic is the same everywhere", "[topic]") {
  CHECK(topic_partition("a", 1) == 0);
  CHECK(topic_partition("a", 1u << 31) == 0xaf63dc4c8601ec8c % (1u << 31));
  CHECK(topic_partition("foobar", 1u << 31) == (0x85944171f73967e8u % (1u << 31)));
  CHECK(topic_partition("prices.eur", 16) < 16);
}

}  // namespace
}  // namespace squall::websocket::topic_test
