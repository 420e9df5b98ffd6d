#include <squall/http/message/percent_encoding.h>

#include <string>

#include "support/catch.h"

namespace squall::http::percent_encoding_test {
namespace {

TEST_CASE("percent escapes become bytes, and bad ones stay (HUT-55)", "[percent_encoding]") {
  CHECK(percent_decode("a%20b%2Fc+d") == "a b/c+d");
  CHECK(percent_decode("a+b", Plus::is_space) == "a b");
  CHECK(percent_decode("%zz%4%") == "%zz%4%");
  CHECK(percent_decode("%C3%a9") == "\xC3\xA9");
  CHECK(percent_decode("%00") == std::string(1, '\0'));
  CHECK(percent_decode("").empty());
}

TEST_CASE("values are escaped for queries and for paths (ESC-05, ESC-06)", "[percent_encoding]") {
  CHECK(url_escape("a b/c?d=\xC3\xA9&") == "a+b%2Fc%3Fd%3D%C3%A9%26");
  CHECK(url_escape("a b/c?d=\xC3\xA9&", Plus::is_plus) == "a%20b/c%3Fd%3D%C3%A9%26");
  CHECK(url_escape("AZaz09_.-~+*") == "AZaz09_.-~%2B%2A");
  CHECK(url_unescape("a+b%2Fc") == "a b/c");
  CHECK(url_unescape("a+b%2Fc", Plus::is_plus) == "a+b/c");
}

TEST_CASE("every byte is read back from its escape", "[percent_encoding]") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(url_unescape(url_escape(all)) == all);
  CHECK(url_unescape(url_escape(all, Plus::is_plus), Plus::is_plus) == all);
}

}  // namespace
}  // namespace squall::http::percent_encoding_test
