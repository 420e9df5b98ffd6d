#include <squall/http/message/query.h>

#include <string>

#include "support/catch.h"

namespace squall::http::query_test {
namespace {

TEST_CASE("queries are split at ampersands alone; empty values are kept (HUT-55)", "[query]") {
  CHECK(parse_query("a=1;b=2") == QueryArguments{{"a", "1;b=2"}});
  CHECK(parse_query("a=%zz") == QueryArguments{{"a", "%zz"}});
  CHECK(parse_query("a&b=") == QueryArguments{{"a", ""}, {"b", ""}});
  CHECK(parse_query("=x&a=b=c") == QueryArguments{{"", "x"}, {"a", "b=c"}});
  CHECK(parse_query("a=1&&a=2&") == QueryArguments{{"a", "1"}, {"a", "2"}});
  CHECK(parse_query("n%61me=v+w%2B") == QueryArguments{{"name", "v w+"}});
  CHECK(parse_query("") == QueryArguments());
}

TEST_CASE("parse_query() reads back the bytes that urlencode() wrote", "[query]") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const QueryArguments arguments = {{"a", "1 2"}, {"", ""}, {all, all}, {"a", ""}, {"", "x"}};
  CHECK(urlencode({{"a", "x y"}, {"b&", "\xE2\x82\xAC"}}) == "a=x+y&b%26=%E2%82%AC");
  CHECK(urlencode({}).empty());
  CHECK(parse_query(urlencode(arguments)) == arguments);
}

TEST_CASE("more pieces than the limit are refused, and empty pieces count", "[query]") {
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

}  // namespace
}  // namespace squall::http::query_test
