#include <squall/http/message/etag.h>

#include <stdexcept>
#include <string>

#include "support/catch.h"

namespace squall::http::etag_test {
namespace {

TEST_CASE("entity tags are read and written (RFC 9110, 8.8.3)", "[etag]") {
  CHECK(parse_etag("\"abc\"") == ETag{"abc", false});
  CHECK(parse_etag("W/\"abc\"") == ETag{"abc", true});
  CHECK(parse_etag("\"\"") == ETag{"", false});
  CHECK(parse_etag("\"a,\xC3\xA9'\"") == ETag{"a,\xC3\xA9'", false});
  for (const char* bad : {"", "abc", "\"", "\"abc", "abc\"", "w/\"abc\"", "W/", "W/abc", "\"a\"b\"",
                          "\"a b\"", "\"\x7f\"", " \"a\"", "*"})
    CHECK_FALSE(parse_etag(bad));
  CHECK(format_etag({"abc", false}) == "\"abc\"");
  CHECK(format_etag({"abc", true}) == "W/\"abc\"");
  for (const char* bad : {"a\"b", "a b", "a\r\n", "\x7f"})
    CHECK_THROWS_AS(format_etag({bad, false}), std::invalid_argument);
}

TEST_CASE("tags are compared as in RFC 9110, 8.8.3.2", "[etag]") {
  const ETag weak{"1", true};
  const ETag strong{"1", false};
  CHECK_FALSE(strongly_equal(weak, weak));
  CHECK(weakly_equal(weak, weak));
  CHECK_FALSE(strongly_equal(weak, strong));
  CHECK(weakly_equal(weak, strong));
  CHECK(strongly_equal(strong, strong));
  CHECK_FALSE(weakly_equal({"2", true}, weak));
}

TEST_CASE("If-None-Match compares weakly, and a star at the beginning matches any tag (WEB-76)", "[etag]") {
  for (const char* header : {"\"a\"", "W/\"a\"", "\"x\", \"a\"", "\"x\",W/\"a\" , \"y\"", "*", " *",
                             "*, \"x\"", "junk \"a\" junk", "\"x,y\", \"a\""}) {
    INFO(header);
    CHECK(if_none_match(header, "\"a\""));
    CHECK(if_none_match(header, "W/\"a\""));
  }
  for (const char* header : {"", "\"x\"", "a", "\"a", "\"x\", *", "\"x\"a\"", "\"A\""}) {
    INFO(header);
    CHECK_FALSE(if_none_match(header, "\"a\""));
  }
  CHECK_FALSE(if_none_match("\"a\"", ""));
  CHECK_FALSE(if_none_match("\"\"", ""));
}

TEST_CASE("If-Match compares strongly", "[etag]") {
  CHECK(if_match("\"x\", \"a\"", "\"a\""));
  CHECK(if_match("*", "\"a\""));
  CHECK_FALSE(if_match("W/\"a\"", "\"a\""));
  CHECK_FALSE(if_match("\"a\"", "W/\"a\""));
  CHECK_FALSE(if_match("\"x\"", "\"a\""));
}

}  // namespace
}  // namespace squall::http::etag_test
