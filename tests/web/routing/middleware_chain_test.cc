#include <squall/web/routing/middleware_chain.h>

#include <squall/web/handler/request_local.h>
#include <squall/web/routing/url.h>

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/web_fixture.h"

namespace squall::web::middleware_chain_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::RawPeer;
using testing::WebFixture;
using Steps = std::vector<std::string>;

Steps g_steps;

// Records its hooks, and does `what` in before().
class Plain {
 public:
  explicit Plain(std::string name, std::string what = "") : name_(std::move(name)), what_(std::move(what)) {}
  void before(RequestHandler& handler) {
    g_steps.push_back(name_ + " before");
    if (what_ == "finish") handler.finish("from " + name_);
    if (what_ == "error") throw HTTPError(403);
    if (what_ == "throw") throw std::runtime_error("from before()");
  }
  void before_head(RequestHandler& handler, std::optional<std::uint64_t> size) {
    g_steps.push_back(fmt::format("{} head {} {}", name_, handler.status(), size.value_or(999)));
    handler.set_header("X-" + name_, "1");
    if (what_ == "throw in head") throw std::runtime_error("from before_head()");
  }
  void after(RequestHandler&) {
    g_steps.push_back(name_ + " after");
    if (what_ == "throw in after") throw std::runtime_error("from after()");
  }

 private:
  std::string name_;
  std::string what_;
};

// The same with a before() that waits.
class Waiting {
 public:
  explicit Waiting(std::string name, std::string what = "")
      : name_(std::move(name)), what_(std::move(what)) {}
  Task<> before(RequestHandler& handler) {
    co_await moment();
    g_steps.push_back(name_ + " before");
    if (what_ == "finish") handler.finish("from " + name_);
    if (what_ == "error") throw HTTPError(403);
    const Live live;
    if (what_ == "wait") co_await sleep(24h);
  }
  void after(RequestHandler&) { g_steps.push_back(name_ + " after"); }

 private:
  std::string name_;
  std::string what_;
};

class PlainHandler : public RequestHandler {
 public:
  void prepare() { g_steps.emplace_back("prepare"); }
  void get() {
    g_steps.emplace_back("verb");
    write("body");
  }
  void on_finish() { g_steps.emplace_back("on_finish"); }
};
class TaskHandler : public RequestHandler {
 public:
  Task<> prepare() {
    co_await moment();
    g_steps.emplace_back("prepare");
  }
  void get() {
    g_steps.emplace_back("verb");
    write("body");
  }
  void on_finish() { g_steps.emplace_back("on_finish"); }
};

template <class H>
Rule rule(std::vector<Middleware> middleware) {
  return url<H>("/").with(std::move(middleware));
}

// GET / through the middleware, around both handlers.
std::string status_of(const std::vector<Middleware>& middleware) {
  std::string status;
  Steps steps;
  for (const bool waits : {false, true}) {
    g_steps.clear();
    WebFixture web({waits ? rule<TaskHandler>(middleware) : rule<PlainHandler>(middleware)});
    status = web.brief("GET", "/").substr(0, 3);
    CHECK(web.loop.log.expect_any("Uncaught exception") == (status == "500"));
    CHECK(web.loop.log.expect_any(" GET / (127.0.0.1) ") == (status != "200"));
    if (waits) CHECK(g_steps == steps);
    steps = g_steps;
  }
  return status;
}

TEST_CASE("before() runs from outside to inside, before_head() and after() from inside to outside",
          "[middleware_chain]") {
  CHECK(status_of({Plain("a"), Plain("b"), Plain("c")}) == "200");
  CHECK(g_steps == Steps{"a before", "b before", "c before", "prepare", "verb", "c head 200 4",
                         "b head 200 4", "a head 200 4", "c after", "b after", "a after", "on_finish"});
}

TEST_CASE("before() may wait, at any place of the chain", "[middleware_chain]") {
  CHECK(status_of({Waiting("a"), Plain("b"), Waiting("c")}) == "200");
  CHECK(g_steps == Steps{"a before", "b before", "c before", "prepare", "verb", "b head 200 4", "c after",
                         "b after", "a after", "on_finish"});
  CHECK(status_of({Plain("a"), Waiting("b"), Waiting("c")}) == "200");
  CHECK(g_steps.size() == 10);
}

TEST_CASE("a middleware that answers or throws ends the chain, and all see the response",
          "[middleware_chain]") {
  for (const auto& [what, status] :
       {std::pair("finish", "200"), std::pair("error", "403"), std::pair("throw", "500")}) {
    CAPTURE(what);
    const std::string head = fmt::format("c head {} ", status);
    CHECK(status_of({Plain("a"), Plain("b", what), Plain("c")}) == status);
    REQUIRE(g_steps.size() == 9);
    CHECK(Steps(g_steps.begin(), g_steps.begin() + 2) == Steps{"a before", "b before"});
    CHECK(g_steps[2].starts_with(head));
    CHECK(g_steps.back() == "on_finish");
  }
  for (const auto& [what, status] : {std::pair("finish", "200"), std::pair("error", "403")}) {
    CHECK(status_of({Plain("a"), Waiting("b", what), Plain("c")}) == status);
    CHECK(Steps(g_steps.begin(), g_steps.begin() + 2) == Steps{"a before", "b before"});
    CHECK(g_steps.size() == 8);
  }
}

class BrokenHandler : public RequestHandler {
 public:
  BrokenHandler() { fail("constructor"); }
  void set_default_headers() override { fail("set_default_headers"); }
  void initialize() { fail("initialize"); }
  void get() {
    fail("verb");
    if (stage == "404") throw HTTPError(404);
  }
  static inline std::string stage;

 private:
  static void fail(const char* here) {
    if (stage == here) throw std::runtime_error("broken");
  }
};

TEST_CASE("before_head() and after() run for errors of each stage", "[middleware_chain]") {
  for (const char* stage : {"constructor", "set_default_headers", "initialize", "verb", "404", "405"}) {
    CAPTURE(stage);
    BrokenHandler::stage = stage;
    g_steps.clear();
    WebFixture web({url<BrokenHandler>("/").with(Plain("a"))});
    const std::string answer = web.fetch(std::string_view(stage) == "405" ? "POST" : "GET", "/");
    CHECK(answer.substr(9, 3) == (stage[0] == '4' ? stage : "500"));
    CHECK(answer.find("\r\nX-a: 1\r\n") != answer.npos);
    CHECK(g_steps.back() == "a after");
    // The error page sets the default headers anew.
    const std::size_t failures = stage[0] == '4'                                    ? 0
                                 : stage == std::string_view("set_default_headers") ? 2
                                                                                    : 1;
    CHECK(web.loop.log.expect_any("broken") == failures);
    CHECK(web.loop.log.expect_any(" / (127.0.0.1) ") == 1);
  }
}

TEST_CASE("an exception of before_head() is a 500 without further calls, and one of after() is logged",
          "[middleware_chain]") {
  WebFixture web({url<PlainHandler>("/head").with(Plain("a"), Plain("b", "throw in head")),
                  url<PlainHandler>("/after").with(Plain("a"), Plain("b", "throw in after"))});
  CHECK(web.fetch("GET", "/head").find("X-a") == std::string::npos);
  web.loop.log.expect("from before_head()");
  web.loop.log.expect("500 GET /head ");
  g_steps.clear();
  CHECK(web.brief("GET", "/after") == "200 body");
  CHECK(g_steps.back() == "on_finish");
  CHECK(g_steps[g_steps.size() - 2] == "a after");
  web.loop.log.expect("from after()");
}

TEST_CASE("middleware of the application is outside that of a list of rules, and that outside a rule's",
          "[middleware_chain]") {
  g_steps.clear();
  std::vector<Rule> rules =
      with_middleware({Plain("list"), Plain("second")},
                      {url<PlainHandler>("/").with(Plain("rule")), url<PlainHandler>("/plain")});
  WebFixture web(std::move(rules), {.middleware = {Plain("app")}});
  CHECK(web.brief("GET", "/") == "200 body");
  CHECK(Steps(g_steps.begin(), g_steps.begin() + 4) ==
        Steps{"app before", "list before", "second before", "rule before"});
  g_steps.clear();
  CHECK(web.brief("GET", "/plain") == "200 body");
  CHECK(Steps(g_steps.begin(), g_steps.begin() + 3) == Steps{"app before", "list before", "second before"});
}

TEST_CASE("middleware of the application sees requests without a route too", "[middleware_chain]") {
  WebFixture web({url<PlainHandler>("/")}, {.middleware = {Plain("app")}});
  for (const auto& [method, target] : {std::pair("GET", "/none"), std::pair("OPTIONS", "*")}) {
    g_steps.clear();
    CHECK(web.fetch(method, target).find("\r\nX-app: 1\r\n") != std::string::npos);
    CHECK(g_steps.front() == "app before");
    CHECK(g_steps.back() == "app after");
  }
  web.loop.log.expect("404 GET /none ");
}

TEST_CASE("a client that goes away cancels a before() that waits, and after() runs", "[middleware_chain]") {
  g_steps.clear();
  WebFixture web({url<PlainHandler>("/").with(Plain("a"), Waiting("b", "wait"))});
  RawPeer peer = web.connect();
  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  web.loop.run_until([] { return Live::count == 1; });
  peer.reset();
  web.loop.run_until([] { return Live::count == 0; });
  CHECK(g_steps == Steps{"a before", "b before", "b after", "a after", "on_finish"});
  web.loop.log.expect("499 GET / ");
}

// Appends its name to each piece of the body.
class Appender {
 public:
  explicit Appender(std::string name) : name_(std::move(name)) {}
  void before_head(RequestHandler& handler) {
    struct Filter : http::ResponseFilter {
      explicit Filter(std::string text) : text(std::move(text)) {}
      void head(int&, http::Headers&, std::optional<std::uint64_t>) override {}
      void piece(std::string_view piece, std::string& out) override { out.append(piece).append(text); }
      std::string text;
    };
    handler.exchange().add_filter(std::make_unique<Filter>(name_));
  }

 private:
  std::string name_;
};
class PiecesHandler : public RequestHandler {
 public:
  Task<> get() {
    write("one");
    co_await flush();
    write("two");
  }
};

TEST_CASE("filters that middleware adds transform whole bodies and pieces, the innermost first (WEB-186)",
          "[middleware_chain]") {
  WebFixture web({url<PlainHandler>("/whole").with(Appender("-a"), Appender("-b")),
                  url<PiecesHandler>("/pieces").with(Appender("-a"), Appender("-b"))});
  CHECK(web.brief("GET", "/whole") == "200 body-b-a");
  CHECK(web.fetch("GET", "/whole").find("\r\nContent-Length: 8\r\n") != std::string::npos);
  CHECK(web.brief("GET", "/pieces") == "200 7\r\none-b-a\r\n7\r\ntwo-b-a\r\n0\r\n\r\n");
}

// ---- Values of a request.

struct User {
  std::string name;
};
struct Count {
  int value = 0;
};
class Login {
 public:
  void before(RequestHandler& handler) {
    request_local<User>(handler).name = handler.get_argument("user");
    ++request_local<Count>(handler).value;
  }
  void before_head(RequestHandler& handler) {
    if (const Count* const count = find_request_local<Count>(handler))
      handler.set_header("X-Count", count->value);
  }
};
class UserHandler : public RequestHandler {
 public:
  void get() {
    ++request_local<Count>(*this).value;
    const User* const user = find_request_local<User>(*this);
    write(user ? user->name : "nobody");
  }
};

TEST_CASE("a request_local() is one value for each type and request", "[request_local]") {
  WebFixture web({url<UserHandler>("/in").with(Login()), url<UserHandler>("/out")});
  RawPeer peer = web.connect();
  for (const char* target : {"/in?user=me", "/out", "/in?user=you"})
    peer.send(fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", target));
  std::string answers;
  web.loop.run_until([&] {
    peer.drain(answers);
    return answers.ends_with("you");
  });
  CHECK(answers.find("\r\n\r\nme") != answers.npos);
  CHECK(answers.find("\r\n\r\nnobody") != answers.npos);
  CHECK(answers.rfind("X-Count: 2") > answers.find("nobody"));
}

TEST_CASE("middleware around a delegate is refused, and Settings::middleware leaves delegates out",
          "[middleware]") {
  g_steps.clear();
  testing::FunctionDelegate delegate([](http::Exchange& exchange, Task<>&) { exchange.finish("delegate"); });
  CHECK_THROWS_AS(url("/d", delegate).with(Plain("a")), std::invalid_argument);
  CHECK_THROWS_AS(under("/.*", {url("/d", delegate)}).with(Plain("a")), std::invalid_argument);
  CHECK_THROWS_AS(with_middleware({Plain("a")}, {url("/d", delegate)}), std::invalid_argument);
  WebFixture web({under("/.*", {url("/d", delegate), url<PlainHandler>("/h")})},
                 {.middleware = {Plain("b")}});
  CHECK(web.brief("GET", "/d") == "200 delegate");
  CHECK(g_steps.empty());
  CHECK(web.fetch("GET", "/h").find("X-b: 1") != std::string::npos);
  CHECK(g_steps.front() == "b before");
}

// Renews a cookie when the head is sent.
class Renewing {
 public:
  void before_head(RequestHandler& handler, std::optional<std::uint64_t>) {
    handler.set_cookie("session", "new");
  }
};
// Fails for the first head.
class FailingOnce {
 public:
  void before_head(RequestHandler&, std::optional<std::uint64_t>) { throw HTTPError(403); }
};
class CookieHandler : public RequestHandler {
 public:
  void get() {
    set_cookie("own", "1");
    write("x");
  }
};

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_CASE("a cookie that before_head() sets is sent, once, with pages and error pages", "[middleware]") {
  g_steps.clear();
  WebFixture web({url<CookieHandler>("/").with(Renewing()), url<PlainHandler>("/plain").with(Renewing()),
                  url<CookieHandler>("/fails").with(FailingOnce())},
                 {.middleware = {Renewing()}});
  for (const char* const path : {"/", "/plain", "/none"}) {
    INFO(path);
    const std::string answer = web.fetch("GET", path);
    CHECK(count_of(answer, "Set-Cookie: session=new") == 1);
    CHECK(count_of(answer, "Set-Cookie: own=1") == (std::string_view(path) == "/" ? 1 : 0));
  }
  // The page of the error has the cookies that were in the head that failed.
  const std::string failed = web.fetch("GET", "/fails");
  CHECK(failed.starts_with("HTTP/1.1 403 "));
  CHECK(count_of(failed, "Set-Cookie: own=1") == 1);
  CHECK(web.loop.log.expect_any("403 GET /fails") == 1);
  CHECK(web.loop.log.expect_any("404 GET /none") == 1);
}

}  // namespace
}  // namespace squall::web::middleware_chain_test
