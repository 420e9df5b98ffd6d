// Positions as text.

#include <squall/websocket/hub/position.h>

#include <cstdint>
#include <limits>
#include <string_view>

#include "support/catch.h"

namespace squall::websocket::position_test {
namespace {

TEST_CASE("a position is read from the text that it is written as", "[position]") {
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  for (const Position& position :
       {Position{0, 0}, Position{1, 1}, Position{0xc0ffee, 42}, Position{most, most}})
    CHECK(parse_position(to_string(position)) == position);
  CHECK(to_string(Position{0xc0ffee, 42}) == "0000000000c0ffee-42");
}

TEST_CASE("every other text is no position", "[position]") {
  for (const std::string_view text :
       {"", "-", "0000000000c0ffee", "0000000000c0ffee-", "0000000000C0FFEE-42", "000000000c0ffee-42",
        "00000000000c0ffee-42", "0000000000c0ffee-042", "0000000000c0ffee--1", "0000000000c0ffee-+1",
        "0000000000c0ffee-4 ", " 000000000c0ffee-42", "0x00000000c0ffee-42", "0000000000c0ffee-4a",
        "0000000000c0ffee-18446744073709551616"})
    CHECK_FALSE(parse_position(text).has_value());
}

}  // namespace
}  // namespace squall::websocket::position_test
