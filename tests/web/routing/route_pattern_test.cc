#include <squall/web/routing/route_pattern.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.h"

namespace squall::web::route_pattern_test {
namespace {

std::string literal(std::string_view pattern) { return RoutePattern(pattern).literal().value_or("(none)"); }
std::string prefix(std::string_view pattern) { return RoutePattern(pattern).prefix(); }
std::string regex(std::string_view pattern) { return RoutePattern(pattern).regex(); }
std::string error(std::string_view pattern) {
  try {
    RoutePattern read(pattern);
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
  return {};
}
std::string reverse(std::string_view pattern, const std::vector<std::string>& arguments) {
  try {
    return RoutePattern(pattern).reverse(arguments);
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
}

TEST_CASE("a pattern without special characters is one path, in its one spelling", "[route_pattern]") {
  CHECK(literal("/") == "/");
  CHECK(literal("^/a$") == "/a");
  CHECK(literal(R"(/x\.html)") == "/x.html");
  CHECK(literal(R"(/a\/b\-c)") == "/a/b-c");
  CHECK(literal("/%7eann/caf%c3%a9") == "/~ann/caf%C3%A9");
  CHECK(literal("/a%2fb") == "/a%2Fb");
  CHECK(literal(R"(/a\[b\])") == "/a[b]");
  for (const char* special :
       {"/a.b", "/a|/b", "/a*", "/(a)", "/[a]", R"(/\d)", "/a{2}", "/a^b", "/a$b", "/a\\"})
    CHECK(literal(special) == "(none)");
}

TEST_CASE("a literal is escaped where no path has the character itself", "[route_pattern]") {
  CHECK(literal("/a b") == "/a%20b");
  CHECK(literal("/caf\xc3\xa9") == "/caf%C3%A9");
  CHECK(literal("/100%") == "/100%25");
  CHECK(literal(R"(/what\?)") == "/what%3F");
  CHECK(literal(R"(/\{id\})") == "/%7Bid%7D");
  CHECK(literal("/{id}") == "/%7Bid%7D");
}

TEST_CASE("a pattern that matches no path is refused, with the correct spelling", "[route_pattern]") {
  CHECK(error("/a b/(.*)") == "route '/a b/(.*)' matches no path: write ' ' as '%20'");
  CHECK(error("/\xc3\xbc"
              "ber/.*") ==
        "route '/\xc3\xbc"
        "ber/.*' matches no path: write '\xc3\xbc' as '%C3%BC'");
  CHECK(error(R"(/what\?(.*))") == R"(route '/what\?(.*)' matches no path: write '?' as '%3F')");
  CHECK(error("/(<)") == "route '/(<)' matches no path: write '<' as '%3C'");
  CHECK(error(R"(/a\s(.*))") == R"(route '/a\s(.*)' matches no path: no path has '\s')");
  CHECK(error("/[ ](.*)") == "route '/[ ](.*)' matches no path: no path has a character of the class");
  CHECK(error("a") == "route 'a' matches no path: a path begins with '/'");
  CHECK(error("") == "route '' matches no path: a path begins with '/'");
  CHECK(error("users/(.*)") == "route 'users/(.*)' matches no path: a path begins with '/'");
  CHECK(error("/(a{x})") == "route '/(a{x})' matches no path: write '{' as '%7B'");
  CHECK(error("/%c3+") == "route '/%c3+' repeats only the last digit of an escape: write '(?:%c3)'");
  for (const char* good : {".*",           "(.*)",         "/a ?b(.*)",        "/a *b",
                           "/a {0,3}b",    R"(/a\s*b)",    "/[^ ]*",           "/[ a]",
                           R"(/[\s])",     "/a{2,}",       "/(?x) a b",        "/(?! ).*",
                           "/(?<! )a",     R"(/\p{Lu})",   R"(/(?<n>a)\k<n>)", R"(/\x{41}(.*))",
                           "/(?<name>.*)", "/(?'name'.*)", "/(?#a comment)x",  R"(/\Qa b\E)",
                           "/[[:alpha:]]", "/[]a]",        "/%20(.*)",         "/(?>a|b)"}) {
    CAPTURE(good);
    CHECK(error(good).empty());
  }
}

TEST_CASE("the prefix of a pattern is the text that every match begins with", "[route_pattern]") {
  CHECK(prefix("/users/([0-9]+)") == "/users/");
  CHECK(prefix(R"(/x\.html/(.*))") == "/x.html/");
  CHECK(prefix("/%7eann/(.*)") == "/~ann/");
  CHECK(prefix("/caf%c3%a9(.*)") == "/caf%C3%A9");
  CHECK(prefix("/ab?c") == "/a");
  CHECK(prefix("/ab*c") == "/a");
  CHECK(prefix("/ab{0,1}c") == "/a");
  CHECK(prefix("/ab+c") == "/ab");
  CHECK(prefix("/ab.c") == "/ab");
  CHECK(prefix("/a/(?:b)") == "/a");  // one less: the group could be a comment
  CHECK(prefix("/a(?#comment)?b") == "/");
  CHECK(prefix("/a|/b").empty());
  CHECK(prefix("/a(b|c)") == "/a");
  CHECK(prefix("/a[|]b") == "/a");
  CHECK(prefix("(?i)/a").empty());
  // Items that hide the rest of the pattern.
  for (const char* hidden : {R"(/a\Q\E|/b)", R"(/a\c[|/b])", R"(/a[\Q]\E|/b)", R"(/a[\c]]|/b)", "/a(?x) b|/c",
                             "/a(*PRUNE)|/b", "/a(?C'|')|/b", "/a(?#|", R"(/a\E?)"}) {
    CAPTURE(hidden);
    CHECK(prefix(hidden).empty() == (std::string(hidden) != "/a(?#|"));
  }
}

TEST_CASE("a regular expression is compared in the one spelling of paths", "[route_pattern]") {
  CHECK(regex("/caf%c3%a9/(.*)") == "/caf%C3%A9/(.*)");
  CHECK(regex("/%7eann/(.*)") == R"(/\x7eann/(.*))");
  CHECK(regex(R"(^/a\.b/(\d+)$)") == R"(/a\.b/(\d+))");
  CHECK(regex("/%zz(.*)") == "/%zz(.*)");
  CHECK(regex("/(%2e)") == R"(/(\x2e))");
}

TEST_CASE("a path is made of a pattern and arguments (RTE-07)", "[route_pattern]") {
  CHECK(reverse("/a/([0-9]+)/(.*)", {"1", "b c/\xc3\xa9"}) == "/a/1/b%20c/%C3%A9");
  CHECK(reverse(R"(^/x\.html$)", {}) == "/x.html");
  CHECK(reverse("/n/(?P<name>.*)", {"v w"}) == "/n/v%20w");
  CHECK(reverse("/n/(?<name>[)(]*)/x", {"?#"}) == "/n/%3F%23/x");
  CHECK(reverse("/a b", {}) == "/a%20b");
  CHECK(reverse("/caf%c3%a9/(.*)", {""}) == "/caf%C3%A9/");
  CHECK(reverse(R"(/(\d+)\.html)", {"7"}) == "/7.html");
}

TEST_CASE("a wrong number of arguments, and a pattern that is too complex, cannot be reversed (RTE-07)",
          "[route_pattern]") {
  CHECK(reverse("/a/(.*)", {}) ==
        "required number of arguments not found: route '/a/(.*)' has 1 groups, not 0");
  CHECK(reverse("/a", {"x"}) == "required number of arguments not found: route '/a' has 0 groups, not 1");
  for (const char* pattern : {"/((a)b)", R"(/\d/(.*))", "/(?:a)/(.*)", "/a.*", "/a|/b", "/(a)?", "/[a]",
                              "/a+", "/(?i)a", R"(/\Qa\E)", "/((?:a))", "/^a"}) {
    CHECK(reverse(pattern, {"x"}) == std::string("Cannot reverse url regex ") + pattern);
  }
}

}  // namespace
}  // namespace squall::web::route_pattern_test
