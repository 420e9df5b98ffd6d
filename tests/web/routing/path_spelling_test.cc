#include <squall/web/routing/path_spelling.h>

#include <string>

#include "support/catch.h"

namespace squall::web::path_spelling_test {
namespace {

TEST_CASE("escapes get upper-case digits, and letters, digits and -._~ are not escaped (RFC 3986, 6.2.2)",
          "[path_spelling]") {
  const std::pair<const char*, const char*> cases[] = {
      {"/%7Eann", "/~ann"},
      {"/%7eann", "/~ann"},
      {"/caf%c3%A9", "/caf%C3%A9"},
      {"/%41%7a%30", "/Az0"},
      {"/a%2Fb", "/a%2Fb"},
      {"/a%2fb", "/a%2Fb"},
      {"/%2E%2e/%2d%5F", "/../-_"},
      {"/%25%37%65", "/%257e"},
      {"/%20%3f%23", "/%20%3F%23"},
      {"/a%", "/a%"},
      {"/%zz%4", "/%zz%4"},
      {"/a/../b", "/a/../b"},
      {"", ""},
  };
  for (const auto& [path, expected] : cases) {
    CAPTURE(path);
    CHECK(with_one_spelling(path) == expected);
    CHECK(has_one_spelling(path) == (std::string(path) == expected));
    CHECK(has_one_spelling(expected));
  }
}

TEST_CASE("path characters are those of RFC 3986, and those that browsers do not escape", "[path_spelling]") {
  std::string all;
  for (int c = 0; c < 256; ++c) {
    if (is_path_char(static_cast<char>(c))) all += static_cast<char>(c);
  }
  CHECK(all == "!$&'()*+,-./0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz|~");
}

}  // namespace
}  // namespace squall::web::path_spelling_test
