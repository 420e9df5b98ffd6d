#include <squall/web/app/application.h>
#include <squall/web/routing/matcher.h>
#include <squall/web/routing/url.h>
#include <squall/web/stock/error_handler.h>

#include <squall/http/server/function_delegate.h>
#include <squall/ioloop/sync/event.h>

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/web_fixture.h"

namespace squall::web::routes_test {
namespace {

using testing::WebFixture;

class Says : public RequestHandler {
 public:
  void initialize(std::string text) { text_ = std::move(text); }
  void get() { write(text_); }

 private:
  std::string text_;
};
class UserHandler : public RequestHandler {
 public:
  void get(int id) { write(fmt::format("{} {}", id, reverse_url("user", id + 1))); }
};

std::string on_host(WebFixture& web, std::string_view host, std::string_view target,
                    std::string_view headers = "") {
  testing::RawPeer peer = web.connect();
  peer.send(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}\r\n", target, host, headers));
  const std::string response = web.read_to_end(peer);
  return response.substr(9, 3) + " " + response.substr(response.find("\r\n\r\n") + 4);
}

// ---- Hosts.

TEST_CASE("host patterns ignore case and see no port (RTE-05)", "[routes]") {
  WebFixture web({host(R"(api\.example\.com|\[::1\])", {url<Says>("/", "api")}), url<Says>("/", "any")});
  CHECK(on_host(web, "api.example.com", "/") == "200 api");
  CHECK(on_host(web, "API.Example.Com:8080", "/") == "200 api");
  CHECK(on_host(web, "[::1]:80", "/") == "200 api");
  CHECK(on_host(web, "api.example.com:", "/") == "200 api");
  CHECK(on_host(web, "xapi.example.com", "/") == "200 any");
  CHECK(on_host(web, "api.example.com.evil", "/") == "200 any");
  CHECK(on_host(web, "h", "http://api.example.com/") == "200 api");
}

TEST_CASE("routes of add_handlers are tried before the constructor's, in the order of the calls (WEB-192)",
          "[routes]") {
  WebFixture web({url<Says>("/", "main"), url<Says>("/x", "main x")});
  web.app.add_handlers(R"(.*\.example)", {url<Says>("/", "first").named("home")});
  web.app.add_handlers("a.example|b", {url<Says>("/", "second"), url<Says>("/(.*)", "second any")});
  CHECK(on_host(web, "a.example", "/") == "200 first");
  CHECK(on_host(web, "b", "/") == "200 second");
  CHECK(on_host(web, "a.example", "/x") == "200 second any");
  CHECK(on_host(web, "c.example", "/x") == "200 main x");
  CHECK(on_host(web, "c", "/") == "200 main");
  CHECK(web.app.reverse_url("home") == "/");
  CHECK_THROWS_AS(web.app.add_handlers("(", {}), std::invalid_argument);
  CHECK_THROWS_AS(web.app.add_handlers("c", {url<Says>("/(", "")}), std::invalid_argument);
  CHECK(on_host(web, "c", "/") == "200 main");
}

TEST_CASE(
    "the default host's routes serve other hosts too, unless a proxy passes the request on (WEB-193, SEC-54)",
    "[routes]") {
  Settings settings;
  settings.default_host = "www.example";
  WebFixture web({url<Says>("/", "main")}, settings);
  web.app.add_handlers(R"(www\.example)", {url<Says>("/", "www"), url<Says>("/only", "only").named("only")});
  web.app.add_handlers("other", {url<Says>("/else", "else")});
  CHECK(on_host(web, "www.example", "/") == "200 www");
  CHECK(on_host(web, "x", "/") == "200 main");
  CHECK(on_host(web, "x", "/only") == "200 only");
  CHECK(on_host(web, "x", "/only", "X-Real-Ip: 1.2.3.4\r\n").starts_with("404 "));
  CHECK(on_host(web, "www.example", "/only", "X-Real-Ip: 1.2.3.4\r\n") == "200 only");
  CHECK(on_host(web, "x", "/else").starts_with("404 "));
  CHECK(web.loop.log.expect_any("404 GET") == 2);
}

TEST_CASE("a host pattern that takes too long is an error page, never a host that does not match",
          "[routes]") {
  WebFixture web({host("(a+)+b", {url<ErrorHandler>("/", 403)}), url<Says>("/", "open")});
  CHECK(on_host(web, std::string(64, 'a') + "cb", "/").starts_with("500 "));
  CHECK(web.loop.log.expect_any("route '(a+)+b' took too many steps") == 1);
  web.loop.log.expect("500 GET /");
  CHECK(on_host(web, "ac", "/") == "200 open");
}

// ---- Names.

TEST_CASE("reverse_url makes the path of a named route (RTE-07, WEB-196)", "[routes]") {
  WebFixture web({url<UserHandler>(R"(/user/(\d+))").named("user"),
                  host("h.*", {url<Says>("/a%20b/(.*)/x", "").named("deep")})});
  CHECK(web.app.reverse_url("user", 42) == "/user/42");
  CHECK(web.app.reverse_url("deep", "b c/\xc3\xa9") == "/a%20b/b%20c/%C3%A9/x");
  CHECK(web.brief("GET", "/user/7") == "200 7 /user/8");
  CHECK(web.brief("GET", web.app.reverse_url("deep", std::string_view("?"))) == "200 ");
  CHECK_THROWS_WITH(web.app.reverse_url("nobody"), "nobody not found in named urls");
  CHECK_THROWS_AS(web.app.reverse_url("nobody"), std::out_of_range);
  CHECK_THROWS_AS(web.app.reverse_url("user"), std::invalid_argument);
  CHECK_THROWS_AS(web.app.reverse_url("user", 1, 2), std::invalid_argument);
}

// ---- Functions.

Task<> wait_and_say(RequestHandler& handler, std::string name, std::optional<int> number) {
  co_await moment();
  handler.write(fmt::format("{} {}", name, number.value_or(0)));
}

TEST_CASE("a function of a RequestHandler& is a target (RTE-02)", "[routes]") {
  std::string captured = "captured";
  WebFixture web({
      url("/lambda", [](RequestHandler& handler) { handler.write(handler.request().method_name()); }),
      url("/capture", [captured](RequestHandler& handler) { handler.write(captured); }),
      url("/late",
          [captured](RequestHandler& handler) -> Task<> {
            co_await moment();
            handler.write(captured);
          }),
      url<http::Method::put>(R"(/fn/([a-z]+)(?:/(\d+))?)", &wait_and_say).named("fn"),
      url("/throws", [](RequestHandler&) { throw HTTPError(418); }),
  });
  CHECK(web.brief("GET", "/lambda") == "200 GET");
  CHECK(web.brief("DELETE", "/lambda") == "200 DELETE");
  CHECK(web.brief("PROPFIND", "/lambda").starts_with("405 "));
  web.loop.log.expect("405 PROPFIND");
  CHECK(web.brief("GET", "/capture") == "200 captured");
  CHECK(web.brief("GET", "/late") == "200 captured");
  CHECK(web.brief("PUT", "/fn/ab/3") == "200 ab 3");
  CHECK(web.brief("PUT", "/fn/ab") == "200 ab 0");
  CHECK(web.brief("GET", "/fn/ab").starts_with("405 "));
  web.loop.log.expect("405 GET");
  CHECK(web.brief("GET", "/throws").starts_with("418 "));
  web.loop.log.expect("418 GET");
}

TEST_CASE("a function's parameters must be the pattern's groups", "[routes]") {
  CHECK_THROWS_WITH(Application({url("/x/(.*)", &wait_and_say)}),
                    "route '/x/(.*)' has 1 groups, but its handler's GET takes 2 parameters");
}

// ---- Matchers.

class HeaderMatcher : public Matcher {
 public:
  std::optional<Parameters> match(const http::ServerRequest& request) const override {
    ++calls;
    const auto value = request.headers().find("X-Tenant");
    if (!value) return std::nullopt;
    if (*value == "throws") throw std::runtime_error("no database");
    if (*value == "none") return Parameters();
    return Parameters{std::string(*value)};
  }
  std::size_t parameters() const noexcept override { return 1; }
  std::string reverse(std::span<const std::string> arguments) const override {
    return "/tenant?" + arguments[0];
  }

  mutable int calls = 0;
};
class TenantHandler : public RequestHandler {
 public:
  Task<> get(std::string tenant) {
    co_await moment();
    write("tenant " + tenant);
  }
};

TEST_CASE("a matcher gives its parameters to the verb (RTE-04, RTE-10)", "[routes]") {
  const auto matcher = std::make_shared<HeaderMatcher>();
  WebFixture web({when<TenantHandler>(matcher).named("tenant"), url<Says>("/", "main")});
  CHECK(web.brief("GET", "/", "X-Tenant: a%20name%20that%20is%20long%20enough\r\n") ==
        "200 tenant a name that is long enough");
  CHECK(web.brief("GET", "/") == "200 main");
  CHECK(web.app.reverse_url("tenant", 5) == "/tenant?5");
}

TEST_CASE("a matcher that fails is an error page, never a request that does not match", "[routes]") {
  WebFixture web({when<TenantHandler>(std::make_shared<HeaderMatcher>()), url<Says>("/.*", "open")});
  CHECK(web.brief("GET", "/", "X-Tenant: throws\r\n").starts_with("500 "));
  web.loop.log.expect("Uncaught exception in a Matcher: GET / is answered with 500: no database");
  CHECK(web.brief("GET", "/", "X-Tenant: none\r\n").starts_with("500 "));
  web.loop.log.expect("a Matcher returned 0 parameters in place of 1: GET / is answered with 500");
  CHECK(web.loop.log.expect_any("500 GET") == 2);
}

TEST_CASE("a matcher of a list is asked once for each request", "[routes]") {
  const auto matcher = std::make_shared<HeaderMatcher>();
  WebFixture web({when(matcher, {url<Says>("/(a)", "1"), url<Says>("/(b)", "2"), url<Says>("/([a-c])", "3")}),
                  url<Says>("/.*", "open")});
  CHECK(web.brief("GET", "/c", "X-Tenant: x\r\n") == "200 3");
  CHECK(matcher->calls == 1);
  CHECK(web.brief("GET", "/c") == "200 open");
  CHECK(matcher->calls == 2);
}

TEST_CASE("a matcher's parameters must fit the verbs", "[routes]") {
  class NoParameter : public HeaderMatcher {
    std::size_t parameters() const noexcept override { return 0; }
  };
  CHECK_THROWS_AS(Application({when<TenantHandler>(std::make_shared<NoParameter>())}), std::invalid_argument);
}

// ---- Delegates.

TEST_CASE("a delegate is a target, and answers and logs as on its own server (RTE-02, WEB-172)", "[routes]") {
  http::FunctionDelegate function([](http::ServerRequest& request) {
    return http::ServerResponse(fmt::format("old {} {}", request.path(), request.body()), "text/plain");
  });
  auto inner = std::make_shared<Application>(std::vector<Rule>{
      url<Says>("/app/x", "inner"), url("/app/up/(.*)", [](RequestHandler& handler, std::string name) {
        handler.write(fmt::format("{} {}", name, handler.request().body()));
      })});
  WebFixture web({url<Says>("/", "main"), url("/old/.*", function), url("/app/.*", inner)});
  testing::LogCapture log(squall::log::Level::info);
  CHECK(web.brief("GET", "/old/1") == "200 old /old/1 ");
  CHECK(log.expect_any("200 GET /old/1") == 1);
  CHECK(web.brief("POST", "/old/2", "", "body") == "200 old /old/2 body");
  CHECK(log.expect_any("200 POST /old/2") == 1);
  CHECK(web.brief("GET", "/app/x") == "200 inner");
  CHECK(log.expect_any("200 GET /app/x") == 1);
  CHECK(web.brief("POST", "/app/up/%6eame", "", "body") == "200 name body");
  CHECK(log.expect_any("200 POST /app/up/%6eame") == 1);
  CHECK(web.brief("GET", "/app/y").starts_with("404 "));
  CHECK(log.expect_any("404 GET /app/y") == 1);
  CHECK(web.brief("POST", "/app/x", "", "body").starts_with("405 "));
  CHECK(log.expect_any("405 POST /app/x") == 1);
  CHECK(web.brief("GET", "/") == "200 main");
  CHECK(log.expect_any("200 GET /") == 1);
}

class StreamingDelegate : public http::ServerDelegate {
 public:
  Body head_received(http::Exchange& exchange) override {
    exchange.attach(std::make_unique<http::Exchange::Attachment>());
    ++heads;
    return Body::streamed;
  }
  void handle_request(http::Exchange& exchange, Task<>& pending) override {
    has_attachment = exchange.attachment() != nullptr;
    pending = count(exchange);
  }
  void client_gone(http::Exchange&) noexcept override { ++gone; }

  int heads = 0;
  int gone = 0;
  bool has_attachment = false;
  bool waits = false;

 private:
  Task<> count(http::Exchange& exchange) {
    std::size_t size = 0;
    if (exchange.request().method() == http::Method::get) {
      waits = true;
      co_await never_.wait();
    }
    for (;;) {
      const std::string_view piece = co_await exchange.read();
      if (piece.empty()) break;
      size += piece.size();
    }
    exchange.finish(std::to_string(size));
  }

  Event never_;
};

TEST_CASE("a delegate may stream the body, and is told when the client goes", "[routes]") {
  StreamingDelegate delegate;
  WebFixture web({url("/in", delegate)});
  CHECK(web.brief("POST", "/in", "", std::string(100, 'x')) == "200 100");
  CHECK(delegate.heads == 1);
  CHECK(delegate.has_attachment);
  CHECK(delegate.gone == 0);
  // Without a body the task waits for an event that does not come.
  {
    testing::RawPeer peer = web.connect();
    peer.send("GET /in HTTP/1.1\r\nHost: h\r\n\r\n");
    web.loop.run_until([&] { return delegate.waits; });
    peer.reset();
  }
  web.loop.run_until([&] { return delegate.gone == 1; });
}

class ClosingDelegate : public StreamingDelegate {
 public:
  bool follows_connections() const noexcept override { return true; }
  void connection_closed(const http::ServerConnection&) noexcept override { ++closed; }
  int closed = 0;
};

TEST_CASE("a delegate that follows connections is told when they close", "[routes]") {
  ClosingDelegate delegate;
  WebFixture web({url<Says>("/", "main"), url("/in", delegate), url("/in2", delegate)});
  CHECK(web.brief("GET", "/") == "200 main");
  web.loop.run_until([&] { return delegate.closed == 1; });
}

// ---- Requests without a route.

class ShopNotFound : public RequestHandler {
 public:
  void initialize(std::string name) { name_ = std::move(name); }
  void prepare() {
    set_status(404);
    finish("not in the " + name_);
  }

 private:
  std::string name_;
};

TEST_CASE("the default handler answers requests without a route (WEB-194)", "[routes]") {
  Settings settings;
  settings.default_handler = handler<ShopNotFound>("shop");
  WebFixture web({url<Says>("/", "main")}, settings);
  CHECK(web.brief("GET", "/x") == "404 not in the shop");
  CHECK(web.brief("POST", "/x", "", "body") == "404 not in the shop");
  CHECK(web.brief("PROPFIND", "/x") == "404 not in the shop");
  CHECK(web.loop.log.expect_any("404 ") == 3);
  CHECK(web.fetch("OPTIONS", "*").starts_with("HTTP/1.1 204 "));
}

TEST_CASE("an ErrorHandler answers every method with its status (WEB-170)", "[routes]") {
  WebFixture web({url<ErrorHandler>("/gone", 410)});
  for (const char* method : {"GET", "POST", "DELETE", "PROPFIND"})
    CHECK(web.brief(method, "/gone").starts_with("410 <html>"));
  CHECK(web.loop.log.expect_any("410 ") == 4);
}

TEST_CASE("OPTIONS * names the methods of routes that were added later, and of delegates", "[routes]") {
  WebFixture web({url<Says>("/", "main")});
  CHECK(web.fetch("OPTIONS", "*").find("Allow: GET, HEAD, OPTIONS\r\n") != std::string::npos);
  StreamingDelegate delegate;
  web.app.add_handlers("h", {url("/in", delegate)});
  CHECK(web.fetch("OPTIONS", "*").find("Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, QUERY\r\n") !=
        std::string::npos);
}

}  // namespace
}  // namespace squall::web::routes_test
