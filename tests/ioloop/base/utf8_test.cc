#include <squall/ioloop/base/utf8.h>

#include "support/catch.h"

namespace squall::utf8_test {
namespace {

TEST_CASE("text with overlong forms, surrogates or stray bytes is not UTF-8 (RFC 3629)", "[utf8]") {
  CHECK(is_utf8("plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x8C"));
  CHECK(is_utf8(""));
  for (const char* bad :
       {"\xff", "\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a\x80"})
    CHECK_FALSE(is_utf8(bad));
}

}  // namespace
}  // namespace squall::utf8_test
