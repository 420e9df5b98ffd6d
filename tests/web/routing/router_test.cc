#include <squall/web/routing/router.h>

#include <squall/testing/log_capture.h>
#include <squall/web/routing/url.h>

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
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
    CHECK(match.outcome == Verdict::too_complex);
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
  const std::string longest = "/" + std::string(kMaxRoutedPath - 1, 'x');
  Router router({url<A>(longest + "yz"), url<A>("/(.*)")});
  CHECK(to(router, longest) == "/(.*)");
  CHECK(to(router, longest + "yz") == longest + "yz");
  const Router::Match match = router.match(longest + "y");
  CHECK(match.outcome == Verdict::path_too_long);
  CHECK(match.rule == nullptr);
  log.expect("route '/(.*)' takes paths of up to 8192 bytes: a request with 8193 bytes is answered with 414");
}

// ---- The index.

TEST_CASE("of patterns with and without a common beginning the first in order of declaration wins",
          "[router]") {
  Router router({
      url<A>("/users/([a-c]+)"),
      url<A>("(/users/[a-d]+)"),
      url<A>("/users/([a-e]+)"),
      url<A>("/u(.*)x"),
      url<A>("/users/ax"),
      url<A>("/users/me"),
      url<A>("/u|/users/zz|/y"),
      url<A>("/users/(.*)"),
  });
  CHECK(to(router, "/users/abc") == "/users/([a-c]+)");
  CHECK(to(router, "/users/abd") == "(/users/[a-d]+)");
  CHECK(to(router, "/users/abe") == "/users/([a-e]+)");
  CHECK(to(router, "/users/ax") == "/u(.*)x");
  CHECK(to(router, "/users/me") == "/users/me");
  CHECK(to(router, "/users/zz") == "/u|/users/zz|/y");
  CHECK(to(router, "/y") == "/u|/users/zz|/y");
  CHECK(to(router, "/users/zzz") == "/users/(.*)");
  CHECK(to(router, "/users/") == "/users/(.*)");
  CHECK(to(router, "/users").empty());
}

TEST_CASE("paths are compared in one spelling, and an escaped slash is never a slash (RFC 3986, 6.2.2)",
          "[router]") {
  Router router({url<A>("/~ann"), url<A>("/caf%c3%a9"), url<A>("/a%2fb"), url<A>("/n b"),
                 url<A>("/%7Ebob/(.*)"), url<A>("/guarded/(.*)"), url<A>("/([^/]*)")});
  CHECK(to(router, "/%7Eann") == "/~ann");
  CHECK(to(router, "/%7e%61nn") == "/~ann");
  CHECK(to(router, "/caf%C3%A9") == "/caf%c3%a9");
  CHECK(to(router, "/caf%c3%a9") == "/caf%c3%a9");
  CHECK(to(router, "/a%2Fb") == "/a%2fb");
  CHECK(to(router, "/a/b").empty());
  CHECK(to(router, "/n%20b") == "/n b");
  CHECK(to(router, "/~bob/x") == "/%7Ebob/(.*)");
  CHECK(to(router, "/g%75arded/x") == "/guarded/(.*)");
  CHECK(to(router, "/guarded%2Fx") == "/([^/]*)");
}

TEST_CASE("groups of a path with another spelling have a text of their own", "[router]") {
  Router router({url<A>("/n/(.*)")});
  const std::string path = "/%6e/%7ea%2fb";
  Router::Match match = router.match(path);
  REQUIRE(match.owner);
  CHECK(texts(match.groups) == std::vector<std::string>{"~a%2Fb"});
  CHECK(!router.match("/n/~a%2Fb").owner);
}

TEST_CASE("a literal that was found before is found again, but no part of it", "[router]") {
  Router router({url<A>("/ab"), url<A>("/cd")});
  for (int i = 0; i < 2; ++i) {
    CHECK(to(router, "/ab") == "/ab");
    CHECK(to(router, "/ab") == "/ab");
    CHECK(to(router, "/a").empty());
    CHECK(to(router, "").empty());
    CHECK(to(router, "/cd") == "/cd");
  }
}

// ---- Lists of rules.

TEST_CASE("a rule that is a list falls through to the next rule if none of the list matches (RTE-03)",
          "[router]") {
  Router router({
      under("/admin/.*", {url<A>("/admin/users"), url<A>("/admin/(x.*)"), url<A>("/other")}),
      under("/admin/deep", {under("/admin/no", {url<A>("/admin/deep")})}),
      under("/admin/d(.*)", {under(".*p", {url<A>("/admin/deep").named("deep")})}),
      url<A>("/admin/.*"),
      url<A>("/other"),
  });
  CHECK(to(router, "/admin/users") == "/admin/users");
  CHECK(to(router, "/admin/xyz") == "/admin/(x.*)");
  CHECK(router.match("/admin/deep").rule->name() == "deep");
  CHECK(to(router, "/admin/y") == "/admin/.*");
  CHECK(to(router, "/other") == "/other");
  CHECK(to(router, "/users").empty());
}

TEST_CASE("a list whose pattern takes too long is an error, never a list that does not match", "[router]") {
  testing::LogCapture log;
  Router router({under(R"(/item(\w*)(\d+))", {url<A>("/item.*")}), url<A>("/.*")});
  const std::string path = "/item" + std::string(8'000, '1') + "-";
  CHECK(router.match(path).outcome == Verdict::too_complex);
  log.expect("too many steps");
  CHECK(to(router, "/item12") == "/item.*");
  CHECK(to(router, "/item12-") == "/.*");
  CHECK(router.match("/item" + std::string(9'000, '1')).outcome == Verdict::path_too_long);
  log.expect("answered with 414");
}

TEST_CASE("names are found in lists, and the last of equal names wins, with a warning (RTE-08)", "[router]") {
  testing::LogCapture log;
  Router router(
      {url<A>("/first").named("a"), under("/x.*", {url<A>("/x/(.*)").named("x"), url<A>("/y").named("a")})});
  NamedRoutes names;
  router.add_names(names);
  log.expect("Multiple handlers named a; replacing previous value");
  router.add_names(names);  // no name a second time
  CHECK(names.path_of("a") == "/y");
  CHECK(names.path_of("x", 42) == "/x/42");
  CHECK(names.path_of("x", std::string("a b")) == "/x/a%20b");
  CHECK_THROWS_WITH(names.path_of("b"), "b not found in named urls");
  CHECK_THROWS_AS(names.path_of("b"), std::out_of_range);
}

TEST_CASE("ten thousand routes are looked up as quickly as one", "[router]") {
  const auto rules = [](int count) {
    std::vector<Rule> made;
    for (int i = 0; i < count; ++i) {
      made.push_back(url<A>(fmt::format("/literal{}", i)));
      made.push_back(url<A>(fmt::format("/regex{}/([a-z]+)", i)));
    }
    return made;
  };
  // The steps are not counted here: bench/routing measures them. This is a bound on a linear search.
  Router router(rules(10'000));
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i) {
    REQUIRE(router.match(fmt::format("/literal{}", i)).rule);
    REQUIRE(router.match(fmt::format("/regex{}/abc", i)).rule);
    REQUIRE(!router.match(fmt::format("/regex{}/123", i)).rule);
  }
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(2));
}

}  // namespace
}  // namespace squall::web::router_test
