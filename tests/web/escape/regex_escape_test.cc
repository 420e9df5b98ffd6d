#include <squall/web/escape/regex_escape.h>

#include <squall/iostream/stream/regex.h>

#include <optional>
#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::web::regex_escape_test {
namespace {

using namespace std::string_view_literals;

TEST_CASE("a text is escaped as Python escapes it", "[regex_escape]") {
  CHECK(re_escape("") == "");
  CHECK(re_escape("page_1/'x'<>\"%,:;=@`!") == "page_1/'x'<>\"%,:;=@`!");
  CHECK(re_escape("a.b-c d?") == R"(a\.b\-c\ d\?)");
  CHECK(re_escape("()[]{}*+|^$\\&~#") == R"(\(\)\[\]\{\}\*\+\|\^\$\\\&\~\#)");
  CHECK(re_escape("\t\n\r\v\f") == "\\\t\\\n\\\r\\\v\\\f");
  CHECK(re_escape("\0Größe"sv) == "\0Größe"sv);
}

TEST_CASE("an escaped text gives the text again (UTL-03)", "[regex_escape]") {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  CHECK(re_unescape(re_escape(all)) == all);
  CHECK(re_unescape("") == "");
  CHECK(re_unescape(R"(a\.b\\c\/)") == R"(a.b\c/)");
}

TEST_CASE("a backslash before a letter or a digit, and at the end, is refused (UTL-03)", "[regex_escape]") {
  for (const char* pattern : {R"(\d)", R"(a\b)", R"(\Z)", R"(\1)", "a\\", R"(\\\)"}) {
    INFO(pattern);
    CHECK(re_unescape(pattern) == std::nullopt);
  }
}

}  // namespace
}  // namespace squall::web::regex_escape_test
