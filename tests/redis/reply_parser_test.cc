#include <squall/redis/reply_parser.h>

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"
#include "support/growth.h"

namespace squall::redis::reply_parser_test {
namespace {

using Result = ReplyParser::Result;

// The only reply of the bytes, which arrive in pieces of `size`.
Value parsed(std::string_view bytes, std::size_t size = 1'000'000) {
  ReplyParser parser;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, size);
    bytes.remove_prefix(piece.size());
    const Result result = parser.parse(piece);
    REQUIRE(piece.empty());
    if (bytes.empty()) REQUIRE(result == Result::reply);
    if (!bytes.empty()) REQUIRE(result == Result::more);
  }
  return parser.reply().value;
}

std::string fault(std::string_view bytes, const ReplyLimits& limits = {}) {
  ReplyParser parser(limits);
  REQUIRE(parser.parse(bytes) == Result::failed);
  std::string_view more = "+OK\r\n";
  CHECK(parser.parse(more) == Result::failed);
  return parser.fault();
}

bool waits(std::string_view bytes, const ReplyLimits& limits = {}) {
  ReplyParser parser(limits);
  return parser.parse(bytes) == Result::more && parser.is_in_reply();
}

TEST_CASE("every type of RESP2 and RESP3 is parsed", "[reply_parser]") {
  CHECK(parsed("+OK\r\n") == Value{std::string("OK")});
  CHECK(parsed("+\r\n") == Value{std::string()});
  CHECK(parsed("-ERR no\r\n") == Value{Error{"ERR no"}});
  CHECK(parsed(":-7\r\n") == Value{std::int64_t{-7}});
  CHECK(parsed(":+7\r\n") == Value{std::int64_t{7}});
  CHECK(parsed(":-9223372036854775808\r\n") == Value{std::numeric_limits<std::int64_t>::min()});
  CHECK(parsed("$5\r\na\r\nbc\r\n") == Value{std::string("a\r\nbc")});
  CHECK(parsed("$0\r\n\r\n") == Value{std::string()});
  CHECK(parsed("$-1\r\n") == Value{});
  CHECK(parsed("*-1\r\n") == Value{});
  CHECK(parsed("_\r\n") == Value{});
  CHECK(parsed("*0\r\n") == Value{Array{}});
  CHECK(parsed("*2\r\n:1\r\n*1\r\n+a\r\n") ==
        Value{Array{{Value{std::int64_t{1}}, Value{Array{{Value{std::string("a")}}}}}}});
  CHECK(parsed("~1\r\n#t\r\n") == Value{Set{{Value{true}}}});
  CHECK(parsed("#f\r\n") == Value{false});
  CHECK(parsed(",3.25\r\n") == Value{3.25});
  CHECK(parsed(",-inf\r\n") == Value{-std::numeric_limits<double>::infinity()});
  CHECK(std::isnan(parsed(",nan\r\n").as<double>()));
  CHECK(parsed("(-123456789012345678901\r\n") == Value{BigNumber{"-123456789012345678901"}});
  CHECK(parsed("!7\r\nERR bad\r\n") == Value{Error{"ERR bad"}});
  CHECK(parsed("=7\r\ntxt:abc\r\n") == Value{std::string("abc")});
  Map map;
  map.items.emplace_back(Value{std::string("a")}, Value{std::int64_t{1}});
  CHECK(parsed("%1\r\n+a\r\n:1\r\n") == Value{map});
}

TEST_CASE("a reply may arrive in pieces of any size", "[reply_parser]") {
  const std::string bytes =
      "%2\r\n$3\r\nabc\r\n*2\r\n:1\r\n~0\r\n|1\r\n+ttl\r\n:5\r\n=8\r\nmkd:# 1\n\r\n#t\r\n";
  const Value whole = parsed(bytes);
  for (std::size_t size = 1; size < bytes.size(); ++size) CHECK(parsed(bytes, size) == whole);
}

TEST_CASE("replies that arrive together are returned one after the other", "[reply_parser]") {
  ReplyParser parser;
  std::string_view bytes = "+a\r\n>2\r\n+message\r\n+b\r\n:1\r\n$2\r\nx";
  REQUIRE(parser.parse(bytes) == Result::reply);
  CHECK(parser.reply().value == Value{std::string("a")});
  CHECK(!parser.reply().is_push);
  REQUIRE(parser.parse(bytes) == Result::reply);
  CHECK(parser.reply().is_push);
  REQUIRE(parser.parse(bytes) == Result::reply);
  CHECK(!parser.reply().is_push);
  REQUIRE(parser.parse(bytes) == Result::more);
  CHECK(parser.is_in_reply());
}

TEST_CASE("an attribute is skipped, before a reply and inside one", "[reply_parser]") {
  CHECK(parsed("|1\r\n+k\r\n*1\r\n:1\r\n:5\r\n") == Value{std::int64_t{5}});
  CHECK(parsed("*1\r\n|1\r\n+k\r\n+v\r\n:5\r\n") == Value{Array{{Value{std::int64_t{5}}}}});
  CHECK(waits("|1\r\n+k\r\n+v\r\n"));
}

TEST_CASE("malformed replies are faults with a text", "[reply_parser]") {
  CHECK(fault("hello\r\n") == "a reply of the unknown type 0x68");
  CHECK(fault(":12x\r\n") == "\"12x\" is not a value of the type ':'");
  CHECK(fault(":9223372036854775808\r\n") == "\"9223372036854775808\" is not a value of the type ':'");
  CHECK(fault(":+-1\r\n") == "\"+-1\" is not a value of the type ':'");
  CHECK(fault(",infinity\r\n") == "\"infinity\" is not a value of the type ','");
  CHECK(fault(",1e999\r\n") == "\"1e999\" is not a value of the type ','");
  CHECK(fault("#x\r\n") == "\"x\" is not a value of the type '#'");
  CHECK(fault("_x\r\n") == "\"x\" is not a value of the type '_'");
  CHECK(fault("(12a\r\n") == "\"12a\" is not a value of the type '('");
  CHECK(fault("(\r\n") == "\"\" is not a value of the type '('");
  CHECK(fault("$-2\r\n") == "\"-2\" is not a length");
  CHECK(fault("$?\r\n") == "\"?\" is not a length");
  CHECK(fault("%-1\r\n") == "\"-1\" is not a length");
  CHECK(fault("$3\r\nabcdef") == "a string without CR LF at its end");
  CHECK(fault("=2\r\nab\r\n") == "a verbatim string without its format");
  CHECK(fault("\r\n") == "an empty line in place of a reply");
  CHECK(fault("+OK\n") == "a line without CR LF at its end");
  CHECK(fault("+a\rb\r\n") == "a line without CR LF at its end");
  CHECK(fault("*1\r\n>1\r\n+a\r\n") == "a push inside another reply");
  CHECK(fault(":\x01\xff\r\n") == "\"??\" is not a value of the type ':'");
}

TEST_CASE("each limit is exact", "[reply_parser]") {
  CHECK(fault("+1234567\r\n", {.max_line = 9}) == "a line exceeds the limit of 9 bytes");
  CHECK(fault("+1234567890", {.max_line = 9}) == "a line exceeds the limit of 9 bytes");
  CHECK(waits("+1234567\r", {.max_line = 10}));
  CHECK(fault("$11\r\n", {.max_string = 10}) == "a string of 11 bytes exceeds the limit of 10");
  CHECK(waits("$10\r\n", {.max_string = 10}));
  CHECK(fault("*3\r\n", {.max_items = 2}) == "a reply exceeds the limit of 2 items");
  CHECK(fault("%2\r\n", {.max_items = 3}) == "a reply exceeds the limit of 3 items");
  CHECK(fault("*2\r\n*1\r\n", {.max_items = 2}) == "a reply exceeds the limit of 2 items");
  CHECK(waits("*2\r\n*1\r\n", {.max_items = 3}));
  CHECK(fault("*1\r\n*1\r\n*1\r\n", {.max_depth = 2}) == "aggregates exceed the limit of 2 levels");
  CHECK(waits("*1\r\n*1\r\n", {.max_depth = 2}));
  CHECK(fault("*9\r\n+a\r\n+b\r\n+c\r\n", {.max_reply = 10}) == "a reply exceeds the limit of 10 bytes");
  CHECK(fault("$90\r\n", {.max_reply = 20}) == "a reply exceeds the limit of 20 bytes");
}

TEST_CASE("the limits hold for each reply alone", "[reply_parser]") {
  ReplyParser parser({.max_items = 2, .max_reply = 12});
  std::string_view bytes = "*2\r\n:1\r\n:2\r\n*2\r\n:1\r\n:2\r\n+abcdef\r\n";
  for (int i = 0; i < 3; ++i) CHECK(parser.parse(bytes) == Result::reply);
}

TEST_CASE("announced lengths take no memory before their bytes arrive", "[reply_parser]") {
  ReplyParser parser;
  std::string bytes = "*4000000\r\n";
  for (int i = 0; i < 10; ++i) bytes += "$400000000\r\n";
  std::string_view rest = bytes;
  CHECK(parser.parse(rest) == Result::more);
}

TEST_CASE("replies in small pieces take linear time", "[reply_parser]") {
  const auto parse = [](std::size_t size) {
    std::string bytes = "*1\r\n$" + std::to_string(size) + "\r\n" + std::string(size, 'x') + "\r\n";
    for (std::size_t i = 0; i < size / 20; ++i) bytes += "|1\r\n+a\r\n+b\r\n";
    ReplyParser parser;
    for (std::size_t at = 0; at < bytes.size(); at += 10) {
      std::string_view piece = std::string_view(bytes).substr(at, 10);
      parser.parse(piece);
    }
  };
  CHECK(squall::testing::growth(20'000, parse) < squall::testing::kMostLinearGrowth);
}

}  // namespace
}  // namespace squall::redis::reply_parser_test
