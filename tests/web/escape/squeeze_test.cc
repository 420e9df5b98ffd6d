#include <squall/web/escape/squeeze.h>

#include <string_view>

#include "support/catch.h"

namespace squall::web::squeeze_test {
namespace {

using namespace std::string_view_literals;

TEST_CASE("runs of 00 to 20 become one space, and none at the ends (ESC-07)", "[squeeze]") {
  CHECK(squeeze("  a \t\r\n b\0\x1f\x20 c  "sv) == "a b c");
  CHECK(squeeze("a b") == "a b");
  CHECK(squeeze("\x7f\xC2\xA0\x21") == "\x7f\xC2\xA0!");
  CHECK(squeeze("").empty());
  CHECK(squeeze(" \0\n "sv).empty());
}

}  // namespace
}  // namespace squall::web::squeeze_test
