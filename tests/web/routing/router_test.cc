#include <squall/web/routing/router.h>

#include <squall/testing/log_capture.h>

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
// The pattern that matches `path`.
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

TEST_CASE("patterns are anchored at both ends, with or without their own anchors", "[router]") {
  Router router({url<A>("^/a$"), url<A>("/b|/c"), url<A>(R"(/x\.html$)"), url<A>("/d.d")});
  CHECK(to(router, "/a") == "^/a$");
  CHECK(to(router, "/b") == "/b|/c");
  CHECK(to(router, "/c") == "/b|/c");
  CHECK(to(router, "/bc").empty());
  CHECK(to(router, "/x.html") == R"(/x\.html$)");
  CHECK(to(router, "/x_html").empty());
  CHECK(to(router, "/dxd") == "/d.d");
}

TEST_CASE("groups are not decoded, and are nullopt if they did not take part", "[router]") {
  Router router({url<A>("/path/(.*)/(?:x|(y))")});
  CHECK(texts(router.match("/path/a%20b%2Fc+d/x").groups) ==
        std::vector<std::string>{"a%20b%2Fc+d", "(none)"});
  CHECK(texts(router.match("/path//y").groups) == std::vector<std::string>{"", "y"});
  Router named({url<A>("/(?P<first>[a-z]+)/(?P<second>[a-z]+)")});
  CHECK(texts(named.match("/ab/cd").groups) == std::vector<std::string>{"ab", "cd"});
}

TEST_CASE("a wrong route is refused when the routes are made (RTE-06)", "[router]") {
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

TEST_CASE("a path may have 8 KiB, also for patterns with repetitions", "[router]") {
  Router router({url<A>("/(?:([a-z])|([0-9]))*"), url<A>("/.*")});
  for (const std::size_t size : {100, 1000, 8190}) {
    CAPTURE(size);
    CHECK(to(router, "/" + std::string(size, 'a')) == "/(?:([a-z])|([0-9]))*");
    CHECK(to(router, "/" + std::string(size, 'a') + "-") == "/.*");
  }
}

TEST_CASE("a rule can have a name", "[router]") {
  CHECK(url<A>("/a").named("home").name() == "home");
  CHECK(url<A>("/a").name().empty());
}

TEST_CASE("a path that a pattern takes too long for is an error, never a path without a match", "[router]") {
  testing::LogCapture log;
  // The later rule has no guard.
  Router router({url<A>(R"(/item(\w*)(\d+))"), url<A>(R"(/[^/]*-[^/]*-[^/]*\.html)"), url<A>("/(a+)+b"),
                 url<A>("/.*")});
  const std::string paths[] = {
      "/item" + std::string(8'000, '1') + "-",
      "/" + std::string(8'000, '-') + ".html/",
      "/" + std::string(64, 'a') + "cb",
  };
  for (const std::string& path : paths) {
    const Router::Match match = router.match(path);
    CHECK(match.outcome == Router::Outcome::too_complex);
    CHECK(match.rule == nullptr);
    const testing::LogCapture::Line line = log.expect("too many steps");
    CHECK(line.level == log::Level::error);
    CHECK(line.message.find(path) == line.message.npos);  // which may be long
  }
  CHECK(to(router, "/item12-") == "/.*");
  CHECK(to(router, "/aab") == "/(a+)+b");
}

TEST_CASE("patterns see no path of more than 8 KiB, literals do", "[router]") {
  testing::LogCapture log;
  const std::string longest = "/" + std::string(Router::kMaxPath - 1, 'x');
  Router router({url<A>(longest + "yz"), url<A>("/(.*)")});
  CHECK(to(router, longest) == "/(.*)");
  CHECK(to(router, longest + "yz") == longest + "yz");
  const Router::Match match = router.match(longest + "y");
  CHECK(match.outcome == Router::Outcome::path_too_long);
  CHECK(match.rule == nullptr);
  log.expect("route '/(.*)' takes paths of up to 8192 bytes: a request with 8193 bytes is answered with 414");
}

}  // namespace
}  // namespace squall::web::router_test
