#include <squall/http/message/query.h>

#include <string>

#include "support/catch.h"

namespace squall::http {
namespace {

TEST_CASE("percent escapes become bytes, and bad ones stay (HUT-55)", "[query]") {
  CHECK(percent_decode("a%20b%2Fc+d") == "a b/c+d");
  CHECK(percent_decode("a+b", Plus::is_space) == "a b");
  CHECK(percent_decode("%zz%4%") == "%zz%4%");
  CHECK(percent_decode("%C3%a9") == "\xC3\xA9");
  CHECK(percent_decode("%00") == std::string(1, '\0'));
  CHECK(percent_decode("").empty());
}

TEST_CASE("queries are split at ampersands alone; blanks are kept (HUT-55)", "[query]") {
  CHECK(parse_query("a=1;b=2") == QueryArguments{{"a", "1;b=2"}});
  CHECK(parse_query("a=%zz") == QueryArguments{{"a", "%zz"}});
  CHECK(parse_query("a&b=") == QueryArguments{{"a", ""}, {"b", ""}});
  CHECK(parse_query("=x&a=b=c") == QueryArguments{{"", "x"}, {"a", "b=c"}});
  CHECK(parse_query("a=1&&a=2&") == QueryArguments{{"a", "1"}, {"a", "2"}});
  CHECK(parse_query("n%61me=v+w%2B") == QueryArguments{{"name", "v w+"}});
  CHECK(parse_query("") == QueryArguments());
}

TEST_CASE("values are escaped for queries and for paths (ESC-05, ESC-06)", "[query]") {
  CHECK(url_escape("a b/c?d=\xC3\xA9&") == "a+b%2Fc%3Fd%3D%C3%A9%26");
  CHECK(url_escape("a b/c?d=\xC3\xA9&", Plus::is_plus) == "a%20b/c%3Fd%3D%C3%A9%26");
  CHECK(url_escape("AZaz09_.-~+*") == "AZaz09_.-~%2B%2A");
  CHECK(url_unescape("a+b%2Fc") == "a b/c");
  CHECK(url_unescape("a+b%2Fc", Plus::is_plus) == "a+b/c");
}

TEST_CASE("whatever is encoded as a form is read back", "[query]") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const QueryArguments arguments = {{"a", "1 2"}, {"", ""}, {all, all}, {"a", ""}, {"", "x"}};
  CHECK(urlencode({{"a", "x y"}, {"b&", "\xE2\x82\xAC"}}) == "a=x+y&b%26=%E2%82%AC");
  CHECK(urlencode({}).empty());
  CHECK(parse_query(urlencode(arguments)) == arguments);
  CHECK(url_unescape(url_escape(all)) == all);
}

TEST_CASE("more arguments than are allowed are none, and empty ones count", "[query]") {
  CHECK(parse_query("a=1&b=2&c", 3) == QueryArguments{{"a", "1"}, {"b", "2"}, {"c", ""}});
  CHECK(parse_query("a=1&b=2&c&", 3) == QueryArguments{{"a", "1"}, {"b", "2"}, {"c", ""}});
  CHECK_FALSE(parse_query("a=1&b=2&c&d", 3));
  CHECK_FALSE(parse_query("&&&&", 3));
  CHECK_FALSE(parse_query("a", 0));
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "a&";
  CHECK(parse_query(many));
  CHECK_FALSE(parse_query(many + "a"));
}

TEST_CASE("UTF-8 is told from what is not", "[query]") {
  CHECK(is_utf8("plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x8C"));
  CHECK(is_utf8(""));
  for (const char* bad :
       {"\xff", "\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a\x80"})
    CHECK_FALSE(is_utf8(bad));
}

}  // namespace
}  // namespace squall::http
