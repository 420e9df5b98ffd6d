#include <squall/http/codec/content_length.h>

#include <limits>

#include "support/catch.h"

namespace squall::http::content_length_test {
namespace {

TEST_CASE("a Content-Length is decimal digits of a 64-bit number (RFC 9110, 8.6)", "[content_length]") {
  CHECK(parse_content_length("0") == 0);
  CHECK(parse_content_length("0017") == 17);
  CHECK(parse_content_length("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
  for (const char* bad : {"", "18446744073709551616", "99999999999999999999", "+1", "-1", " 1", "1 ", "1,1",
                          "1, 1", "0x1", "1.0", "a"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_content_length(bad));
  }
}

}  // namespace
}  // namespace squall::http::content_length_test
