#include <squall/web/handler/request_handler.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "support/web_fixture.h"

namespace squall::web::request_handler_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::RawPeer;
using testing::WebFixture;

const std::string kType = "Content-Type: text/html; charset=UTF-8\r\n";

// The steps of the handlers below.
std::vector<std::string> g_steps;

// ---- Output.

class OutputHandler : public RequestHandler {
 public:
  void get(std::string what) {
    if (what == "plain") write("hello");
    if (what == "two") {
      write("one ");
      finish("two");
    }
    if (what == "status") set_status(418, "I'm a teapot");
    if (what == "bad-reason") set_status(400, "<script>");
    if (what == "split-reason") set_status(400, "x\r\nA: b");
    if (what == "headers") {
      set_header("Content-Type", "text/plain");
      set_header("X-Number", 42);
      add_header("X-Two", "1");
      add_header("X-Two", "2");
      set_header("X-Gone", "x");
      clear_header("x-gone");
      clear_header("Server");
    }
    if (what == "nocontent") set_status(204);
    if (what == "nocontent-with-body") {
      set_status(204);
      write("body");
    }
    if (what == "clear") {
      set_status(500);
      set_header("X", "y");
      write("gone");
      clear();
      write("kept");
    }
    if (what == "split") set_header("X", "a\nb");
    if (what == "finish-twice") {
      finish();
      finish();
    }
    if (what == "write-after") {
      finish("done");
      write("more");
    }
  }
  void head(std::string what) { get(what); }
};

WebFixture output() { return WebFixture({url<OutputHandler>("/(.*)")}); }

std::string head_of(const std::string& response) { return response.substr(0, response.find("\r\n\r\n") + 2); }

TEST_CASE("the written bytes are the body, and the return of the verb ends the response (WEB-11)",
          "[request_handler]") {
  WebFixture web = output();
  CHECK(web.fetch("GET", "/plain") == "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\n" + kType +
                                          "Content-Length: 5\r\nConnection: close\r\n\r\nhello");
  CHECK(web.brief("GET", "/two") == "200 one two");
  CHECK(web.brief("GET", "/nothing") == "200 ");
  CHECK(web.fetch("HEAD", "/plain") == "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\n" + kType +
                                           "Content-Length: 5\r\nConnection: close\r\n\r\n");
}

TEST_CASE("status and reason are sent, and an unsafe reason is not (WEB-41, SEC-31)", "[request_handler]") {
  WebFixture web = output();
  web.loop.log.expect_any("");
  CHECK(web.fetch("GET", "/status").starts_with("HTTP/1.1 418 I'm a teapot\r\n"));
  CHECK(web.fetch("GET", "/bad-reason").starts_with("HTTP/1.1 400 Unknown\r\n"));
  const std::string split = web.fetch("GET", "/split-reason");
  CHECK(split.starts_with("HTTP/1.1 400 Unknown\r\n"));
  CHECK(split.find("A: b") == std::string::npos);
  web.loop.log.expect_any("GET /");
}

TEST_CASE("headers are set, added and cleared (WEB-42)", "[request_handler]") {
  WebFixture web = output();
  CHECK(head_of(web.fetch("GET", "/headers")) ==
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Number: 42\r\nX-Two: 1\r\nX-Two: 2\r\n"
        "Content-Length: 0\r\nConnection: close\r\n");
}

TEST_CASE("a header that would split the response is a 500 without it (SEC-30)", "[request_handler]") {
  WebFixture web = output();
  const std::string response = web.fetch("GET", "/split");
  CHECK(response.starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
  CHECK(response.find("X: a") == std::string::npos);
  web.loop.log.expect("Unsafe header value");
  web.loop.log.expect("500 GET /split");
}

TEST_CASE("204 is sent without body and type, and a 204 with a body is an error (WEB-46)",
          "[request_handler]") {
  WebFixture web = output();
  CHECK(web.fetch("GET", "/nocontent") ==
        "HTTP/1.1 204 No Content\r\nServer: Squall/0.1.0\r\nConnection: close\r\n\r\n");
  CHECK(web.brief("GET", "/nocontent-with-body").starts_with("500 "));
  web.loop.log.expect("Cannot send body with 204");
  web.loop.log.expect("500 GET /nocontent-with-body");
}

TEST_CASE("clear() resets status, headers and body (WEB-40)", "[request_handler]") {
  WebFixture web = output();
  const std::string response = web.fetch("GET", "/clear");
  CHECK(response.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(response.find("X: y") == std::string::npos);
  CHECK(response.ends_with("\r\n\r\nkept"));
}

TEST_CASE(
    "a second finish(), and write() after finish(), are logged, and the response is complete (WEB-43, "
    "WEB-45, WEB-65)",
    "[request_handler]") {
  WebFixture web = output();
  CHECK(web.brief("GET", "/finish-twice") == "200 ");
  web.loop.log.expect("finish() called twice");
  CHECK(web.brief("GET", "/write-after") == "200 done");
  web.loop.log.expect("Cannot write() after finish()");
}

class StreamHandler : public RequestHandler {
 public:
  Task<> get() {
    write("one ");
    co_await flush();
    write("two ");
    write("three ");
    co_await flush();
    co_await flush();
    write("end");
  }
};

TEST_CASE("flush() streams in chunks (WEB-44)", "[request_handler]") {
  WebFixture web({url<StreamHandler>("/")});
  const std::string response = web.fetch("GET", "/");
  CHECK(head_of(response).find("\r\nTransfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(response.ends_with("\r\n\r\n4\r\none \r\na\r\ntwo three \r\n3\r\nend\r\n0\r\n\r\n"));
}

// ---- Errors.

class ErrorHandler : public RequestHandler {
 public:
  void get(std::string what) {
    if (what == "http") throw HTTPError(403);
    if (what == "message") throw HTTPError(403, "not for you");
    if (what == "reason") throw HTTPError(403, "", "Go <away>");
    if (what == "std") throw std::runtime_error("broken");
    if (what == "int") throw 42;
    if (what == "finish") {
      write("so far");
      throw Finish();
    }
    if (what == "send") {
      write("gone");
      set_header("X", "gone");
      send_error(502);
    }
  }
};
class LateErrorHandler : public RequestHandler {
 public:
  Task<> get() {
    write("part");
    co_await flush();
    throw std::runtime_error("too late");
  }
};
class OwnErrorHandler : public RequestHandler {
 public:
  void get() { throw HTTPError(404); }
  void post() { throw HTTPError(500, "with a page that fails"); }
  void put() { throw HTTPError(501); }
  void delete_() { throw HTTPError(502); }
  void set_default_headers() override {
    set_header("X-Default", "1");
    if (request().query() == "headers") throw std::runtime_error("from set_default_headers");
  }
  void write_error(int status) override {
    if (status == 500) throw std::runtime_error("page failed");
    write(fmt::format("own page for {}", status));
    if (status == 501) throw Finish();
    if (status == 502) throw 42;
  }
};

std::string page(std::string_view title) {
  return fmt::format("<html><title>{0}</title><body>{0}</body></html>", title);
}

TEST_CASE("HTTPError is an error page, and its message a line in the log (WEB-60, WEB-64, WEB-67)",
          "[request_handler]") {
  WebFixture web({url<ErrorHandler>("/(.*)")});
  CHECK(web.fetch("GET", "/http") == "HTTP/1.1 403 Forbidden\r\nServer: Squall/0.1.0\r\n" + kType +
                                         "Vary: Accept\r\nContent-Length: 69\r\nConnection: close\r\n\r\n" +
                                         page("403: Forbidden"));
  web.loop.log.expect("403 GET /http (127.0.0.1) ");
  CHECK(web.loop.log.empty());
  CHECK(web.brief("GET", "/message") == "403 " + page("403: Forbidden"));
  CHECK(web.loop.log.expect("403 GET /message (127.0.0.1): not for you").logger == "squall.general");
  web.loop.log.expect("403 GET /message (127.0.0.1) ");
  CHECK(web.brief("GET", "/send") == "502 " + page("502: Bad Gateway"));
  web.loop.log.expect("502 GET /send");
}

TEST_CASE("a reason is escaped in the page, and an unsafe reason is not sent (SEC-31)", "[request_handler]") {
  WebFixture web({url<ErrorHandler>("/(.*)")});
  CHECK(web.fetch("GET", "/reason").starts_with("HTTP/1.1 403 Unknown\r\n"));
  web.loop.log.expect("403 GET /reason");
}

TEST_CASE("any other exception is 500 and a line with the request; the server goes on (WEB-63, WEB-64)",
          "[request_handler]") {
  WebFixture web({url<ErrorHandler>("/(.*)")});
  CHECK(web.brief("GET", "/std?a=b") == "500 " + page("500: Internal Server Error"));
  const auto line = web.loop.log.expect("Uncaught exception GET /std?a=b (127.0.0.1)");
  CHECK(line.logger == "squall.application");
  CHECK(line.level == squall::log::Level::error);
  CHECK(
      line.message.find("HTTPServerRequest(protocol='http', host='h.example', method='GET', uri='/std?a=b', "
                        "version='HTTP/1.1', remote_ip='127.0.0.1')") != std::string::npos);
  CHECK(line.message.ends_with("\nbroken"));
  CHECK(web.loop.log.expect("500 GET /std").level == squall::log::Level::error);
  CHECK(web.brief("GET", "/int").starts_with("500 "));
  web.loop.log.expect("Uncaught exception GET /int");
  web.loop.log.expect("500 GET /int");
  CHECK(web.brief("GET", "/fine") == "200 ");
}

class LongHandler : public RequestHandler {
 public:
  void get(std::string what) {
    write(std::string(100'000, 'x'));
    if (what == "flush") flush();
    if (what == "finish") throw Finish();
  }
};

TEST_CASE("a body beyond the write limit is 500, and the connection serves the next request (IOS-43)",
          "[request_handler]") {
  WebFixture::Options options;
  options.stream.max_write_buffer_size = 64 * 1024;
  WebFixture web({url<LongHandler>("/long/(.*)"), url<ErrorHandler>("/(.*)")}, {}, options);
  RawPeer peer = web.connect();
  for (const std::string path : {"/long/return", "/long/flush", "/long/finish"}) {
    peer.send(fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n\r\nGET /finish HTTP/1.1\r\nHost: h\r\n\r\n", path));
    std::string both;
    web.loop.run_until([&] { return peer.drain(both) || both.ends_with("so far"); });
    CHECK(both.starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
    CHECK(both.find(page("500: Internal Server Error") + "HTTP/1.1 200 OK\r\n") != std::string::npos);
    web.loop.log.expect("Reached maximum write buffer size");
    web.loop.log.expect("500 GET " + path);
  }
}

TEST_CASE("Finish ends the request with the written body (WEB-62)", "[request_handler]") {
  WebFixture web({url<ErrorHandler>("/(.*)")});
  CHECK(web.brief("GET", "/finish") == "200 so far");
}

TEST_CASE(
    "an error after the head was sent closes the connection, so that the part is not taken for whole "
    "(WEB-66)",
    "[request_handler]") {
  WebFixture web({url<LateErrorHandler>("/")});
  const std::string response = web.fetch("GET", "/");
  CHECK(response.find("part") != std::string::npos);
  CHECK_FALSE(response.ends_with("0\r\n\r\n"));
  web.loop.log.expect("too late");
  web.loop.log.expect("Cannot send error response after headers written");
  web.loop.log.expect("500 GET / ");
  CHECK(web.server.connections() == 0);
}

TEST_CASE("write_error may be overridden, and may fail", "[request_handler]") {
  WebFixture web({url<OwnErrorHandler>("/")});
  const std::string response = web.fetch("GET", "/");
  CHECK(response.find("\r\nX-Default: 1\r\n") != std::string::npos);
  CHECK(response.ends_with("\r\n\r\nown page for 404"));
  web.loop.log.expect("404 GET /");
  CHECK(web.brief("POST", "/") == "500 ");
  web.loop.log.expect("with a page that fails");
  web.loop.log.expect("Uncaught exception in write_error: page failed");
  web.loop.log.expect("500 POST /");
}

TEST_CASE("write_error may throw Finish, and its other exceptions are logged (WEB-62, WEB-66)",
          "[request_handler]") {
  WebFixture web({url<OwnErrorHandler>("/")});
  CHECK(web.brief("PUT", "/") == "501 own page for 501");
  web.loop.log.expect("501 PUT /");
  CHECK(web.brief("DELETE", "/") == "502 own page for 502");
  web.loop.log.expect("Uncaught exception in write_error: not a std::exception");
  web.loop.log.expect("502 DELETE /");
}

TEST_CASE("set_default_headers may throw, for the error page too", "[request_handler]") {
  WebFixture web({url<OwnErrorHandler>("/")});
  CHECK(web.brief("GET", "/?headers").starts_with("500 "));
  web.loop.log.expect("Uncaught exception in write_error: page failed");
  web.loop.log.expect("Uncaught exception GET /?headers");
  web.loop.log.expect("Uncaught exception in set_default_headers: from set_default_headers");
  web.loop.log.expect("500 GET /?headers");
}

// ---- The order of the steps.

class StepsHandler : public RequestHandler {
 public:
  StepsHandler() { g_steps.emplace_back("constructed"); }
  ~StepsHandler() override { g_steps.emplace_back("destroyed"); }
  void initialize(const std::string& name, int number) {
    g_steps.push_back(fmt::format("initialize {} {}", name, number));
  }
  void set_default_headers() override { g_steps.emplace_back("set_default_headers"); }
  void prepare() {
    g_steps.emplace_back("prepare");
    if (request().query() == "stop") finish("stopped");
  }
  void get(int n) { g_steps.push_back(fmt::format("get {}", n)); }
  Task<> post(int n) {
    g_steps.push_back(fmt::format("post {}", n));
    co_await moment();
    g_steps.emplace_back("posted");
  }
  void on_finish() { g_steps.push_back(fmt::format("on_finish {}", finished())); }
};

class AsyncPrepareHandler : public RequestHandler {
 public:
  Task<> prepare() {
    co_await moment();
    g_steps.emplace_back("prepared");
    if (request().query() == "stop") finish("stopped");
    if (request().query() == "fail") throw HTTPError(403);
  }
  void get(std::string what) { g_steps.push_back("get " + what); }
  Task<> post(std::string what) {
    co_await moment();
    g_steps.push_back("post " + what);
  }
  void on_finish() { g_steps.emplace_back("on_finish"); }
};

TEST_CASE("the steps of a request are in order (WEB-01 to WEB-12)", "[request_handler]") {
  WebFixture web({url<StepsHandler>(R"(/(\d+))", std::string("name"), 7)});
  using Steps = std::vector<std::string>;
  g_steps.clear();
  CHECK(web.brief("GET", "/3") == "200 ");
  CHECK(g_steps == Steps{"constructed", "set_default_headers", "initialize name 7", "prepare", "get 3",
                         "on_finish true", "destroyed"});
  g_steps.clear();
  CHECK(web.brief("POST", "/3") == "200 ");
  CHECK(g_steps == Steps{"constructed", "set_default_headers", "initialize name 7", "prepare", "post 3",
                         "posted", "on_finish true", "destroyed"});
  g_steps.clear();
  CHECK(web.brief("GET", "/3?stop") == "200 stopped");
  CHECK(g_steps == Steps{"constructed", "set_default_headers", "initialize name 7", "prepare",
                         "on_finish true", "destroyed"});
}

TEST_CASE("prepare() may be a task, and a finish() in it replaces the verb (WEB-09)", "[request_handler]") {
  WebFixture web({url<AsyncPrepareHandler>("/(.*)")});
  using Steps = std::vector<std::string>;
  const auto steps_of = [&](std::string_view method, std::string_view target, std::string_view expected) {
    g_steps.clear();
    CHECK(web.brief(method, target).starts_with(expected));
    return g_steps;
  };
  CHECK(steps_of("GET", "/a%20b", "200 ") == Steps{"prepared", "get a b", "on_finish"});
  CHECK(steps_of("POST", "/x", "200 ") == Steps{"prepared", "post x", "on_finish"});
  CHECK(steps_of("GET", "/x?stop", "200 stopped") == Steps{"prepared", "on_finish"});
  CHECK(steps_of("GET", "/x?fail", "403 ") == Steps{"prepared", "on_finish"});
  CHECK(steps_of("PUT", "/x", "405 ") == Steps{"prepared", "on_finish"});
  web.loop.log.expect("403 GET /x?fail");
  web.loop.log.expect("405 PUT /x");
}

// Throws types that are not derived from std::exception.
class RudeHooks : public RequestHandler {
 public:
  void get() { write("fine"); }
  Task<> post() {
    const Live live;
    co_await sleep(24h);
  }
  void on_finish() { throw Finish(); }
  void on_connection_close() { throw 42; }
};

TEST_CASE("an exception of any type in a hook is logged, and the server goes on", "[request_handler]") {
  Settings settings;
  settings.log_function = [](RequestHandler&, int) { throw "from log_function"; };
  WebFixture web({url<RudeHooks>("/")}, settings);
  for (int i = 0; i < 2; ++i) {
    CHECK(web.brief("GET", "/") == "200 fine");
    web.loop.log.expect("Uncaught exception in log_function: not a std::exception");
    web.loop.log.expect("Uncaught exception in on_finish: not a std::exception");
  }
  RawPeer peer = web.connect();
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  web.loop.run_until([] { return Live::count == 1; });
  peer.reset();
  web.loop.run_until([] { return Live::count == 0; });
  web.loop.log.expect("Uncaught exception in on_connection_close: not a std::exception");
  web.loop.log.expect("Uncaught exception in log_function");
  web.loop.log.expect("Uncaught exception in on_finish");
}

class FailingHooks : public RequestHandler {
 public:
  void initialize(int& count) {
    ++count;
    if (request().query() == "initialize") throw std::runtime_error("from initialize");
  }
  void get() { write("fine"); }
  void on_finish() { throw std::runtime_error("from on_finish"); }
};

TEST_CASE("an error in initialize is 500, and one in on_finish only logged (WEB-14)", "[request_handler]") {
  int count = 0;
  WebFixture web({url<FailingHooks>("/", std::ref(count))});
  CHECK(web.brief("GET", "/?initialize").starts_with("500 "));
  web.loop.log.expect("from initialize");
  web.loop.log.expect("500 GET /?initialize");
  web.loop.log.expect("Uncaught exception in on_finish: from on_finish");
  CHECK(web.brief("GET", "/") == "200 fine");
  web.loop.log.expect("Uncaught exception in on_finish: from on_finish");
  CHECK(count == 2);
}

class Unmakeable : public RequestHandler {
 public:
  Unmakeable() {
    if (g_steps.empty()) throw std::runtime_error("from the constructor");
    throw HTTPError(503, "not now");
  }
  void get() {}
};

TEST_CASE("a handler whose constructor throws is answered like any other error (WEB-14)",
          "[request_handler]") {
  std::vector<int> logged;
  Settings settings;
  settings.log_function = [&](RequestHandler& handler, int status) {
    CHECK(handler.request().path() == "/");
    logged.push_back(status);
  };
  WebFixture web({url<Unmakeable>("/"), url<ErrorHandler>("/(.*)")}, settings);
  g_steps.clear();
  CHECK(web.brief("GET", "/") == "500 " + page("500: Internal Server Error"));
  CHECK(web.loop.log.expect("Uncaught exception GET / (127.0.0.1)")
            .message.ends_with("\nfrom the constructor"));
  g_steps.emplace_back("again");
  CHECK(web.brief("GET", "/") == "503 " + page("503: Service Unavailable"));
  web.loop.log.expect("503 GET / (127.0.0.1): not now");
  CHECK(logged == std::vector<int>{500, 503});
}

class WaitingHandler : public RequestHandler {
 public:
  Task<> get() {
    const Live live;
    co_await sleep(24h);
  }
  void on_connection_close() { g_steps.emplace_back("on_connection_close"); }
  void on_finish() { g_steps.emplace_back("on_finish"); }
};

TEST_CASE("a client that has gone cancels a handler that waits, after on_connection_close() (WEB-16)",
          "[request_handler]") {
  for (const bool reset : {false, true}) {
    std::vector<int> logged;
    Settings settings;
    settings.log_function = [&](RequestHandler&, int status) { logged.push_back(status); };
    WebFixture::Options options;
    if (!reset) options.half_closed = WebFixture::Options::HalfClosed::is_gone;
    WebFixture web({url<WaitingHandler>("/")}, settings, options);
    g_steps.clear();
    RawPeer peer = web.connect();
    peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    web.loop.run_until([] { return Live::count == 1; });
    if (reset) {
      peer.reset();
    } else {
      peer.close();
    }
    web.loop.run_until([] { return Live::count == 0; });
    CHECK(g_steps == std::vector<std::string>{"on_connection_close", "on_finish"});
    CHECK(logged == std::vector<int>{499});
  }
}

// Fails when its client closes the connection, or when a stream of its own does.
class BackendHandler : public RequestHandler {
 public:
  Task<> get(std::string what) {
    if (what == "own") {
      auto [near, far] = testing::tcp_pair();
      IOStream backend(std::move(near));
      far.reset();
      co_await backend.read_until("\n");
    }
    const Live live;
    for (;;) {
      write(std::string(100'000, 'x'));
      co_await flush();
    }
  }
  void post(std::string) {
    auto [near, far] = testing::tcp_pair();
    IOStream backend(std::move(near));
    backend.close();
    backend.write("x");
  }
  void on_connection_close() { g_steps.emplace_back("on_connection_close"); }
};

TEST_CASE("a StreamClosedError of the handler's own stream is a usual error", "[request_handler]") {
  WebFixture web({url<BackendHandler>("/(.*)"), url<ErrorHandler>("/(.*)")});
  g_steps.clear();
  for (const char* method : {"GET", "POST"}) {
    CHECK(web.brief(method, "/own") == "500 " + page("500: Internal Server Error"));
    CHECK(web.loop.log.expect(fmt::format("Uncaught exception {} /own", method))
              .message.ends_with("\nStream is closed"));
    web.loop.log.expect(fmt::format("500 {} /own", method));
  }
  CHECK(g_steps.empty());
}

TEST_CASE(
    "a client that closes the connection during the response is a 499, and on_connection_close() runs "
    "(WEB-16)",
    "[request_handler]") {
  std::vector<int> logged;
  Settings settings;
  settings.log_function = [&](RequestHandler&, int status) { logged.push_back(status); };
  WebFixture web({url<BackendHandler>("/(.*)")}, settings);
  g_steps.clear();
  RawPeer peer = web.connect();
  peer.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  web.loop.run_until([] { return Live::count == 1; });
  for (int i = 0; i < 10; ++i) web.loop.run_turn();
  peer.reset();
  web.loop.run_until([] { return Live::count == 0; });
  CHECK(g_steps == std::vector<std::string>{"on_connection_close"});
  CHECK(logged == std::vector<int>{499});
}

// ---- Detached connections.

class UpgradeHandler : public RequestHandler {
 public:
  Task<> get() {
    set_status(101);
    clear_header("Content-Type");
    set_header("Connection", "Upgrade");
    set_header("Upgrade", "shout");
    co_await flush();
    IOStream stream = detach();
    const ReadView line = co_await stream.read_until("\n", 100);
    co_await stream.write(std::string(line) + "!");
  }
};

TEST_CASE("a handler may take over the connection for another protocol", "[request_handler]") {
  WebFixture web({url<UpgradeHandler>("/")});
  RawPeer peer = web.connect();
  peer.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\nhello\n");
  const std::string all = web.read_to_end(peer);
  CHECK(all.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  CHECK(all.ends_with("\r\nUpgrade: shout\r\n\r\nhello\n!"));
  CHECK(web.server.connections() == 0);
}

}  // namespace
}  // namespace squall::web::request_handler_test
