#include <squall/web/app/application.h>

#include <squall/testing/test_client.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "support/death.h"
#include "support/web_fixture.h"

namespace squall::web::application_test {
namespace {

using namespace std::chrono_literals;
using testing::LogCapture;
using testing::RawPeer;
using testing::WebFixture;

class HomeHandler : public RequestHandler {
 public:
  void get() { write("home"); }
};
class UserHandler : public RequestHandler {
 public:
  void get(std::int64_t id) { write(fmt::format("user {}", id)); }
  Task<> put(std::int64_t id) {
    co_await moment();
    write(fmt::format("put {}", id));
  }
  void delete_(std::int64_t id) { write(fmt::format("deleted {}", id)); }
};
class FileHandler : public RequestHandler {
 public:
  void get(std::string folder, std::optional<int> version) {
    write(fmt::format("{} {}", folder, version ? std::to_string(*version) : "latest"));
  }
};
class AllHandler : public RequestHandler {
 public:
  void get() { write("GET"); }
  void head() { write("HEAD"); }
  void post() { write("POST"); }
  void put() { write("PUT"); }
  void delete_() { write("DELETE"); }
  void patch() { write("PATCH"); }
  void options() { write("OPTIONS"); }
};

std::vector<Rule> rules() {
  return {
      url<HomeHandler>("/"),
      url<UserHandler>(R"(/users/([^/]+))"),
      url<FileHandler>(R"(/files/([^/]*)(?:/v(\d+))?)"),
      url<AllHandler>("/all"),
  };
}

TEST_CASE("paths are routed to their handlers, and groups become typed parameters", "[application]") {
  WebFixture web(rules());
  CHECK(web.brief("GET", "/") == "200 home");
  CHECK(web.brief("GET", "/?query") == "200 home");
  CHECK(web.brief("GET", "/users/42") == "200 user 42");
  CHECK(web.brief("PUT", "/users/42") == "200 put 42");
  CHECK(web.brief("DELETE", "/users/-1") == "200 deleted -1");
  CHECK(web.brief("GET", "/files/a%20b%2Fc") == "200 a b/c latest");
  CHECK(web.brief("GET", "/files/x/v3") == "200 x 3");
  CHECK(web.brief("GET", "http://h.example/users/7") == "200 user 7");
}

TEST_CASE("each method calls its verb (WEB-260)", "[application]") {
  testing::TestLoop loop;
  Application app(rules());
  TestClient client(app);
  for (const char* method : {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
    CHECK(client.request(method, "/all").body() == method);
  CHECK(client.head("/all").headers().get("Content-Length") == "4");
}

TEST_CASE("a path without a route, or with a group that does not convert, is 404 (WEB-194)",
          "[application]") {
  WebFixture web(rules());
  const std::string page = "404 <html><title>404: Not Found</title><body>404: Not Found</body></html>";
  for (const char* target : {"/nowhere", "/users/", "/users/abc", "/users/99999999999999999999", "//"}) {
    CHECK(web.brief("GET", target) == page);
    web.loop.log.expect(fmt::format("404 GET {} (127.0.0.1)", target));
  }
  CHECK(web.brief("POST", "/nowhere") == page);
  CHECK(web.brief("PROPFIND", "/nowhere") == page);
  web.loop.log.expect("404 POST /nowhere");
  web.loop.log.expect("404 PROPFIND /nowhere");
}

TEST_CASE(
    "a method without a verb is 405 with the methods of the handler; get answers HEAD (WEB-05, "
    "WEB-10)",
    "[application]") {
  testing::TestLoop loop;
  Application app(rules());
  TestClient client(app);
  const auto allow = [&](std::string_view method, std::string_view path) {
    const http::HTTPResponse response = client.request(method, path);
    CHECK(response.status() == 405);
    CHECK(response.reason() == "Method Not Allowed");
    return response.headers().get("Allow");
  };
  CHECK(allow("POST", "/") == "GET, HEAD");
  CHECK(allow("POST", "/users/1") == "GET, HEAD, PUT, DELETE");
  CHECK(allow("PROPFIND", "/all") == "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS");
  CHECK(loop.log.expect_any("405 ") == 3);
}

class CatchAllHandler : public RequestHandler {
 public:
  void prepare() { set_header("X-Prepared", "1"); }
  void get() { write("any path"); }
  void options() { write("any options"); }
};

TEST_CASE("OPTIONS * is for the server: 204 with the methods of all routes (RFC 9110, 9.3.7)",
          "[application]") {
  WebFixture web({url<UserHandler>(R"(/users/([^/]+))"), url<CatchAllHandler>(".*")});
  const std::string response = web.fetch("OPTIONS", "*");
  CHECK(response.starts_with("HTTP/1.1 204 No Content\r\n"));
  CHECK(response.find("\r\nAllow: GET, HEAD, PUT, DELETE, OPTIONS\r\n") != std::string::npos);
  CHECK(response.find("Content-Type") == std::string::npos);
  CHECK(response.find("X-Prepared") == std::string::npos);
  CHECK(response.ends_with("\r\n\r\n"));
  CHECK(web.brief("OPTIONS", "/any") == "200 any options");
  CHECK(web.brief("OPTIONS", "http://h") == "200 any options");
}

TEST_CASE("CONNECT reaches no route (RFC 9110, 9.3.6)", "[application]") {
  WebFixture web({url<CatchAllHandler>(".*"), url<CatchAllHandler>("/")});
  const std::string response = web.fetch("CONNECT", "h:80");
  CHECK(response.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
  CHECK(response.find("\r\nAllow: GET, HEAD, OPTIONS\r\n") != std::string::npos);
  CHECK(response.find("X-Prepared") == std::string::npos);
  web.loop.log.expect("405 CONNECT h:80 (127.0.0.1)");
}

TEST_CASE("the access log has one line for each request, at the level of its status (WEB-68)",
          "[application]") {
  WebFixture web(rules());
  {
    LogCapture log(squall::log::Level::info);
    web.fetch("GET", "/users/42?x=y");
    const auto line = log.expect("200 GET /users/42?x=y (127.0.0.1) ");
    CHECK(line.logger == "squall.access");
    CHECK(line.level == squall::log::Level::info);
    CHECK(line.message.ends_with("ms"));
    CHECK(line.message[line.message.size() - 5] == '.');
  }
  web.fetch("GET", "/nowhere");
  CHECK(web.loop.log.expect("404 GET /nowhere").level == squall::log::Level::warning);
}

class ThrowingHandler : public RequestHandler {
 public:
  void get() { throw std::runtime_error("as it must"); }
  void post() { throw HTTPError(400, "bad input"); }
};

TEST_CASE("the access log and the lines of errors have the request's id", "[application]") {
  WebFixture::Options options;
  options.trust_request_id = true;
  WebFixture web({url<ThrowingHandler>("/")}, {}, options);
  web.fetch("GET", "/", "X-Request-Id: abc-1\r\n");
  CHECK(web.loop.log.expect("Uncaught exception")
            .message.starts_with("Uncaught exception GET / (127.0.0.1) id=abc-1\n"));
  CHECK(web.loop.log.expect("500 GET / (127.0.0.1) ").message.ends_with("ms id=abc-1"));
  web.fetch("POST", "/", "X-Request-Id: abc-2\r\n");
  CHECK(web.loop.log.expect("bad input").message == "400 POST / (127.0.0.1) id=abc-2: bad input");
  CHECK(web.loop.log.expect("400 POST / (127.0.0.1) ").message.ends_with("ms id=abc-2"));
}

std::unique_ptr<Application> g_doomed;

class DeletingHandler : public RequestHandler {
 public:
  void get() { g_doomed.reset(); }
};

TEST_CASE("an application that its own handler destroys ends the program with a message", "[application]") {
  const std::string said = testing::last_words_of([] {
    testing::TestLoop loop;
    g_doomed = std::make_unique<Application>(std::vector<Rule>{url<DeletingHandler>("/")});
    ListenOptions listen;
    listen.address = "127.0.0.1";
    testing::RawPeer peer(g_doomed->listen(0, listen).port());
    peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    loop.run_until([] { return !g_doomed; });
  });
  CHECK(said.find("a handler destroys the HTTPServer that serves its request") != said.npos);
}

TEST_CASE("log_function replaces the access log's line (WEB-204)", "[application]") {
  std::vector<std::string> seen;
  Settings settings;
  settings.log_function = [&](RequestHandler& handler, int status) {
    seen.push_back(fmt::format("{} {}", status, handler.request().path()));
    if (status == 404) throw std::runtime_error("from log_function");
  };
  WebFixture web(rules(), settings);
  web.fetch("GET", "/");
  web.fetch("GET", "/nowhere");
  CHECK(seen == std::vector<std::string>{"200 /", "404 /nowhere"});
  web.loop.log.expect("Uncaught exception in log_function: from log_function");
}

// ---- Routes that take too long, and bodies.

class GuardedHandler : public RequestHandler {
 public:
  void get() { throw HTTPError(403); }
  void post() { throw HTTPError(403); }
};
class OpenHandler : public RequestHandler {
 public:
  void get() { write("open"); }
  void post() { write("open"); }
};
class EchoHandler : public RequestHandler {
 public:
  void post(std::string name) { write(fmt::format("{} {}", name, request().body())); }
};
class StreamHandler : public RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  Task<> post(std::string name) {
    const std::string_view piece = co_await read_body();
    write(fmt::format("{} {}", name, piece));
  }
};

TEST_CASE("a request whose route takes too long gets a 500, and is matched once", "[application]") {
  const std::string path = "/item" + std::string(8'000, '1') + "-";
  const std::vector<Rule> collected = {url<GuardedHandler>(R"(/item(\w*)(\d+))"), url<OpenHandler>("/.*")};
  std::vector<Rule> streamed = collected;
  streamed.push_back(url<StreamHandler>("/stream/(.*)"));
  for (const std::vector<Rule>& routes : {collected, streamed}) {
    WebFixture web(routes);
    CHECK(web.brief("GET", "/item12").starts_with("403 "));
    web.loop.log.expect("403 GET /item12");
    CHECK(web.brief("GET", "/item12-") == "200 open");
    CHECK(web.brief("GET", path).starts_with("500 "));
    CHECK(web.loop.log.expect_any("route '/item(\\w*)(\\d+)' took too many steps") == 1);
    web.loop.log.expect("500 GET /item11111");
    CHECK(web.brief("POST", path, "", "body").starts_with("500 "));
    CHECK(web.loop.log.expect_any("took too many steps") == 1);
    web.loop.log.expect("500 POST /item11111");
  }
}

TEST_CASE("a path that is too long for the routes' regular expressions gets a 414", "[application]") {
  WebFixture web({url<OpenHandler>("/.*"), url<StreamHandler>("/stream/(.*)")});
  const std::string path = "/" + std::string(8'192, 'x');
  CHECK(web.brief("GET", path).starts_with("414 "));
  CHECK(web.brief("POST", path, "", "body").starts_with("414 "));
  CHECK(web.loop.log.expect_any("answered with 414") == 2);
  CHECK(web.loop.log.expect_any("414 GET /x") == 1);
  CHECK(web.loop.log.expect_any("414 POST /x") == 1);
}

TEST_CASE("groups of a route outlast the body, also where the server changes the headers", "[application]") {
  const std::string_view gzip(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\xca\x2c\x28\x48\x4d\x01\x00\x57\x68\xc2\xe2\x06\x00\x00"
      "\x00",
      26);
  http::HTTPServer::Options options;
  options.decompress_request = true;
  const std::vector<Rule> collected = {url<EchoHandler>("/echo/([a-z]+)")};
  std::vector<Rule> streamed = collected;
  streamed.push_back(url<StreamHandler>("/stream/(.*)"));
  for (const std::vector<Rule>& routes : {collected, streamed}) {
    WebFixture web(routes, {}, options);
    CHECK(web.brief("POST", "/echo/name", "", "body") == "200 name body");
    CHECK(web.brief("POST", "/echo/name", "Content-Encoding: gzip\r\n", gzip) == "200 name zipped");
    CHECK(web.brief("POST", "/echo/name") == "200 name ");
  }
  WebFixture web(streamed, {}, options);
  CHECK(web.brief("POST", "/stream/name", "Content-Encoding: gzip\r\n", gzip) == "200 name zipped");
}

// Uses the place for a delegate's data, where the application has kept the match.
template <class Prepared>
class AttachingHandler : public RequestHandler {
 public:
  Prepared prepare() {
    exchange().attach(std::make_unique<http::Exchange::Attachment>());
    if constexpr (!std::is_void_v<Prepared>) return wait();
  }
  void post(std::string name) { write(name); }

 private:
  static Task<> wait() { co_await moment(); }
};

TEST_CASE("groups of a route outlast data that a handler attaches to its request", "[application]") {
  const std::string name(100, 'x');
  WebFixture web({url<AttachingHandler<void>>("/now/([a-z]+)"),
                  url<AttachingHandler<Task<>>>("/later/([a-z]+)"), url<StreamHandler>("/stream/(.*)")});
  CHECK(web.brief("POST", "/now/" + name, "", "body") == "200 " + name);
  CHECK(web.brief("POST", "/later/" + name, "", "body") == "200 " + name);
}

TEST_CASE("an HTTPServer of the program can serve an application", "[application]") {
  testing::TestLoop loop;
  Application app(rules());
  http::HTTPServer server(app, loop);
  ListenOptions options;
  options.address = "127.0.0.1";
  server.listen(0, options);
  testing::RawPeer peer(server.port());
  peer.send("GET / HTTP/1.0\r\n\r\n");
  std::string all;
  loop.run_until([&] { return peer.drain(all); });
  CHECK(all.ends_with("\r\n\r\nhome"));
}

TEST_CASE("a port in use is an error that names the port", "[application]") {
  WebFixture web(rules());
  Application other(rules());
  ListenOptions options;
  options.address = "127.0.0.1";
  CHECK_THROWS_WITH(other.listen(web.server.port(), options),
                    fmt::format("cannot listen on 127.0.0.1:{}: Address already in use", web.server.port()));
}

// Keeps the groups of the path for a task that runs after the response.
class AuditHandler : public RequestHandler {
 public:
  void initialize(std::vector<std::string>& log) { log_ = &log; }
  void get(std::string name) { write(name); }
  Task<> on_finish() {
    co_await moment();
    log_->push_back(path_argument<std::string>("name") + " " + std::to_string(path_args().size()));
  }

 private:
  std::vector<std::string>* log_ = nullptr;
};

TEST_CASE("a waiting on_finish() has the groups of its own path, after a verb that did not wait",
          "[application]") {
  std::vector<std::string> log;
  WebFixture web({url<AuditHandler>("/(?<name>[a-z]+)", std::ref(log))});
  RawPeer peers[] = {web.connect(), web.connect()};
  peers[0].send("GET /first HTTP/1.1\r\nHost: h\r\n\r\n");
  peers[1].send("GET /second HTTP/1.1\r\nHost: h\r\n\r\n");
  web.loop.run_until([&] { return log.size() == 2; });
  std::sort(log.begin(), log.end());
  CHECK(log == std::vector<std::string>{"first 1", "second 1"});
}

class DrainHandler : public RequestHandler {
 public:
  void initialize(WebFixture*& web) { web_ = web; }
  Task<> post() {
    co_await web_->server.drain(1h);
    write("drained");
  }
  void get() { write("here"); }

 private:
  WebFixture* web_ = nullptr;
};

TEST_CASE("a handler that awaits drain() of its own server is answered with 500, and the server continues",
          "[application]") {
  WebFixture* pointer = nullptr;
  WebFixture web({url<DrainHandler>("/", std::ref(pointer))});
  pointer = &web;
  CHECK(web.brief("POST", "/").starts_with("500 "));
  web.loop.log.expect("a connection awaits drain() of its own server");
  web.loop.log.expect("500 POST /");
  CHECK(web.brief("GET", "/") == "200 here");
}

}  // namespace
}  // namespace squall::web::application_test
