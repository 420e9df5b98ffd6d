#include <squall/web/router.h>

#include <string>
#include <vector>

#include "support/catch.h"

namespace squall::web::router_test {
namespace {

class A : public RequestHandler {
 public:
  void get() {}
};
class OneParameter : public RequestHandler {
 public:
  void get(std::string) {}
  void post() {}
};

std::vector<std::string> texts(PathGroups groups) {
  std::vector<std::string> result;
  for (const auto& group : groups) result.push_back(group ? std::string(*group) : "(none)");
  return result;
}
// The pattern that `path` leads to.
std::string to(Router& router, std::string_view path) {
  const Router::Match match = router.match(path);
  return match.rule ? match.rule->pattern() : "";
}

TEST_CASE("the first rule that matches all of the path wins, literal or pattern (WEB-192, RTE-05)",
          "[router]") {
  Router router(
      {url<A>("/a"), url<A>(R"(/(\d+))"), url<A>("/12"), url<A>("/x.*"), url<A>("/xyz"), url<A>("/a")});
  CHECK(to(router, "/a") == "/a");
  CHECK(to(router, "/12") == R"(/(\d+))");
  CHECK(to(router, "/xyz") == "/x.*");
  CHECK(to(router, "/ab").empty());
  CHECK(to(router, "a").empty());
  CHECK(to(router, "").empty());
  Router other({url<A>("/xyz"), url<A>("/x.*")});
  CHECK(to(other, "/xyz") == "/xyz");
  CHECK(to(other, "/xyzz") == "/x.*");
}

TEST_CASE("patterns are anchored at both ends, anchors of their own or not", "[router]") {
  Router router({url<A>("^/a$"), url<A>("/b|/c"), url<A>(R"(/x\.html$)"), url<A>("/d.d")});
  CHECK(to(router, "/a") == "^/a$");
  CHECK(to(router, "/b") == "/b|/c");
  CHECK(to(router, "/c") == "/b|/c");
  CHECK(to(router, "/bc").empty());
  CHECK(to(router, "/x.html") == R"(/x\.html$)");
  CHECK(to(router, "/x_html").empty());
  CHECK(to(router, "/dxd") == "/d.d");
}

TEST_CASE("groups come as they stand in the path, none where they did not take part", "[router]") {
  Router router({url<A>("/path/(.*)/(?:x|(y))")});
  CHECK(texts(router.match("/path/a%20b%2Fc+d/x").groups) ==
        std::vector<std::string>{"a%20b%2Fc+d", "(none)"});
  CHECK(texts(router.match("/path//y").groups) == std::vector<std::string>{"", "y"});
  Router named({url<A>("/(?P<first>[a-z]+)/(?P<second>[a-z]+)")});
  CHECK(texts(named.match("/ab/cd").groups) == std::vector<std::string>{"ab", "cd"});
}

TEST_CASE("what cannot work is refused when the routes are made (RTE-06)", "[router]") {
  const auto message = [](Rule rule) {
    try {
      Router router({std::move(rule)});
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message(url<A>("/(")) ==
        "route '/(': Regular expression \"/(\" is wrong at offset 2: missing closing parenthesis");
  CHECK(message(url<A>("/(?P<a>x)/(y)")) == "route '/(?P<a>x)/(y)' mixes named and unnamed groups");
  CHECK(message(url<OneParameter>("/x")) ==
        "route '/x' has 0 groups, but its handler's GET takes 1 parameters");
  CHECK(message(url<OneParameter>("/(x)/(y)")) ==
        "route '/(x)/(y)' has 2 groups, but its handler's GET takes 1 parameters");
  CHECK(message(url<OneParameter>("/(x)")).empty());
}

TEST_CASE("a pattern that backtracks without end costs a bounded time, and does not match", "[router]") {
  Router router({url<A>("/(a+)+b"), url<A>("/a.*")});
  CHECK(to(router, "/" + std::string(60, 'a')) == "/a.*");
}

TEST_CASE("a path may be as long as a request's head lets it, whatever the pattern repeats", "[router]") {
  Router router({url<A>("/(?:([a-z])|([0-9]))*"), url<A>("/.*")});
  for (const std::size_t size : {100, 1000, 10'000, 64'000}) {
    CAPTURE(size);
    CHECK(to(router, "/" + std::string(size, 'a')) == "/(?:([a-z])|([0-9]))*");
    CHECK(to(router, "/" + std::string(size, 'a') + "-") == "/.*");
  }
}

TEST_CASE("a rule can have a name", "[router]") {
  CHECK(url<A>("/a").named("home").name() == "home");
  CHECK(url<A>("/a").name().empty());
}

}  // namespace
}  // namespace squall::web::router_test
