#include <squall/websocket/hub/redis_names.h>

#include <squall/websocket/hub/topic.h>

#include <stdexcept>
#include <string>

#include "support/catch.h"

namespace squall::websocket::redis_names_test {
namespace {

TEST_CASE("all names of a topic have its partition in a hash tag", "[redis_names]") {
  const RedisNames names("squall", 16);
  const std::string tag = "{squall:" + std::to_string(topic_partition("prices.eur", 16)) + "}";
  CHECK(names.channel("prices.eur") == tag + ":prices.eur");
  CHECK(names.all_of("prices.eur") == tag + ">");
  CHECK(names.stream("prices.eur") == tag + ":s:prices.eur");
  CHECK(names.head("prices.eur") == tag + ":h:prices.eur");
  CHECK(names.member_times("prices.eur") == tag + ":t:prices.eur");
  CHECK(names.members("prices.eur") == tag + ":m:prices.eur");
}

TEST_CASE("a pattern becomes a pattern of Redis, with other special characters escaped", "[redis_names]") {
  const RedisNames names("my*app", 16);
  CHECK(names.glob("prices.*.usd") == "{my\\*app:*}:prices.*.usd");
  CHECK(names.glob("prices.>") == "{my\\*app:*}:prices.*");
  CHECK(names.glob("a?.[b]\\.*") == "{my\\*app:*}:a\\?.\\[b\\]\\\\.*");
}

TEST_CASE("a bad prefix and no partitions are refused", "[redis_names]") {
  for (const char* prefix : {"", "a}b", "{", "a b", "a:b", "a\n"})
    CHECK_THROWS_AS(RedisNames(prefix, 1), std::invalid_argument);
  CHECK_THROWS_AS(RedisNames("a", 0), std::invalid_argument);
}

}  // namespace
}  // namespace squall::websocket::redis_names_test
