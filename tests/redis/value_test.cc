#include <squall/redis/value.h>

#include <string>

#include "support/catch.h"

namespace squall::redis::value_test {
namespace {

TEST_CASE("a value gives its type, and names the other types in an error", "[value]") {
  const Value number{std::int64_t{42}};
  CHECK(number.is<std::int64_t>());
  CHECK(number.as<std::int64_t>() == 42);
  CHECK(number.get<std::string>() == nullptr);
  CHECK_THROWS_WITH(number.as<std::string>(), "the reply of Redis is an integer, not a string");
  CHECK_THROWS_AS(number.as<Array>(), TypeError);
  CHECK_THROWS_WITH(Value().as<Map>(), "the reply of Redis is nil, not a map");
}

TEST_CASE("an error reply is a value, and is thrown when another type is asked for", "[value]") {
  const Value value{Error{"WRONGTYPE Operation against a key"}};
  CHECK(value.as<Error>().code() == "WRONGTYPE");
  try {
    value.as<std::int64_t>();
    FAIL("nothing was thrown");
  } catch (const ReplyError& error) {
    CHECK(std::string(error.what()) == "WRONGTYPE Operation against a key");
    CHECK(error.code() == "WRONGTYPE");
  }
  CHECK(Error{"NOAUTH"}.code() == "NOAUTH");
  CHECK(Error{}.code().empty());
}

TEST_CASE("a string moves out of a value", "[value]") {
  Value value{std::string(1000, 'x')};
  const char* const bytes = value.as<std::string>().data();
  const std::string moved = std::move(value).as<std::string>();
  CHECK(moved.data() == bytes);
}

TEST_CASE("values are shown as redis-cli shows them", "[value]") {
  Array inner{{Value{std::string("a")}, Value{true}}};
  Map map;
  map.items.emplace_back(Value{std::string("key")}, Value{2.5});
  const Value value{Array{{Value{inner}, Value{map}, Value{Set{}}, Value{}, Value{BigNumber{"99"}}}}};
  CHECK(
      to_string(value) ==
      "1) 1) \"a\"\n   2) (true)\n2) \"key\" => (double) 2.5\n3) (empty set)\n4) (nil)\n5) (big number) 99");
}

TEST_CASE("values are compared by type and content", "[value]") {
  CHECK(Value{std::string("1")} != Value{std::int64_t{1}});
  CHECK(Value{Array{{Value{true}}}} == Value{Array{{Value{true}}}});
  CHECK(Value{Array{}} != Value{Set{}});
}

}  // namespace
}  // namespace squall::redis::value_test
