#include <squall/ioloop/base/parse_decimal.h>

#include <cstdint>
#include <optional>

#include "support/catch.h"

namespace squall::parse_decimal_test {
namespace {

TEST_CASE("a number is decimal digits alone, and fits its type", "[parse_decimal]") {
  CHECK(parse_decimal<std::uint16_t>("0") == 0);
  CHECK(parse_decimal<std::uint16_t>("0080") == 80);
  CHECK(parse_decimal<std::uint16_t>("65535") == 65535);
  for (const char* const text : {"", "65536", "+1", "-1", " 1", "1 ", "0x1", "1.0"}) {
    CAPTURE(text);
    CHECK(parse_decimal<std::uint16_t>(text) == std::nullopt);
  }
}

TEST_CASE("a canonical number has no leading zeros", "[parse_decimal]") {
  CHECK(parse_canonical_decimal<std::uint16_t>("0") == 0);
  CHECK(parse_canonical_decimal<std::uint16_t>("80") == 80);
  CHECK(parse_canonical_decimal<std::uint16_t>("00") == std::nullopt);
  CHECK(parse_canonical_decimal<std::uint16_t>("080") == std::nullopt);
}

}  // namespace
}  // namespace squall::parse_decimal_test
