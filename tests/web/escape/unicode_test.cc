#include <squall/web/escape/unicode.h>

#include "support/catch.h"

namespace squall::web::unicode_test {
namespace {

TEST_CASE("UTF-8 becomes characters and back (ESC-08)", "[unicode]") {
  const std::u32string characters = U"a\u00e9\u07ff\u0800\u4f8b\uffff\U00010000\U0010ffff";
  const std::string bytes =
      "a\xC3\xA9\xDF\xBF\xE0\xA0\x80\xE4\xBE\x8B\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF";
  CHECK(to_unicode(bytes) == characters);
  CHECK(utf8(characters) == bytes);
  CHECK(to_unicode("") == U"");
  CHECK(utf8(U"") == "");
}

TEST_CASE("bytes that are not UTF-8, and numbers that are no characters, are refused", "[unicode]") {
  for (const char* bytes : {"\x80", "a\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"})
    CHECK_FALSE(to_unicode(bytes));
  for (const char32_t code : {0xD800u, 0xDFFFu, 0x110000u, 0xFFFFFFFFu})
    CHECK_FALSE(utf8(std::u32string(1, code)));
}

}  // namespace
}  // namespace squall::web::unicode_test
