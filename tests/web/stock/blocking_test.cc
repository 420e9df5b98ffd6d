#include <squall/web/stock/blocking.h>

#include <squall/ioloop/loop/loop_handle.h>
#include <squall/ioloop/process/thread_pool.h>
#include <squall/web/routing/url.h>

#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/web_fixture.h"

namespace squall::web::blocking_test {
namespace {

using testing::WebFixture;

http::ServerResponse describe(const BlockingRequest& request) {
  return http::ServerResponse(fmt::format("{} {} {} {} {}", request.method, request.target, request.path,
                                          request.query, request.body),
                              "text/plain");
}

TEST_CASE("a function that blocks runs on a thread of the loop's executor (WSG-01)", "[blocking]") {
  std::thread::id thread;
  WebFixture web({url("/b/.*", blocking([&thread](const BlockingRequest& request) {
                        thread = std::this_thread::get_id();
                        return describe(request);
                      }))});
  CHECK(web.brief("POST", "/b/%20x?a=%20b", "", "body") == "200 POST /b/%20x?a=%20b /b/ x a=%20b body");
  CHECK(thread != std::this_thread::get_id());
}

TEST_CASE("a function may run on an executor of the program, and on a server of its own (WSG-01)",
          "[blocking]") {
  DummyExecutor inline_executor;
  std::thread::id thread;
  const auto delegate = blocking(
      [&thread](const BlockingRequest&) {
        thread = std::this_thread::get_id();
        return http::ServerResponse("here");
      },
      inline_executor);
  testing::TestLoop loop;
  http::HTTPServer server(*delegate, loop);
  ListenOptions listen;
  listen.address = "127.0.0.1";
  server.listen(0, listen);
  testing::RawPeer peer(server.port());
  peer.send("GET / HTTP/1.0\r\n\r\n");
  std::string all;
  loop.run_until([&] { return peer.drain(all); });
  CHECK(all.ends_with("\r\n\r\nhere"));
  CHECK(thread == std::this_thread::get_id());
}

TEST_CASE("the response gets its length, and a type unless it has one or is a 304 (WSG-02)", "[blocking]") {
  http::HTTPServer::Options options;
  testing::TestLoop loop;
  const auto delegate = blocking([](const BlockingRequest& request) {
    http::ServerResponse response(request.path == "/304" ? 304 : 200);
    if (request.path == "/typed") response.headers.set("Content-Type", "image/png");
    response.body = request.path == "/304" ? "" : "abc";
    return response;
  });
  http::HTTPServer server(*delegate, loop);
  ListenOptions listen;
  listen.address = "127.0.0.1";
  server.listen(0, listen);
  const auto fetch = [&](std::string_view path) {
    testing::RawPeer peer(server.port());
    peer.send(fmt::format("GET {} HTTP/1.0\r\n\r\n", path));
    std::string all;
    loop.run_until([&] { return peer.drain(all); });
    return all;
  };
  const std::string plain = fetch("/");
  CHECK(plain.find("\r\nContent-Type: text/html; charset=UTF-8\r\n") != plain.npos);
  CHECK(plain.find("\r\nContent-Length: 3\r\n") != plain.npos);
  CHECK(plain.find("\r\nServer: ") != plain.npos);
  CHECK(fetch("/typed").find("\r\nContent-Type: image/png\r\n") != plain.npos);
  CHECK(fetch("/304").find("Content-Type") == plain.npos);
}

TEST_CASE("an exception of the function, and an executor that is full, are a 500", "[blocking]") {
  class FullExecutor final : public Executor {
    void submit(Callback) override { throw ExecutorFullError("full"); }
  } full;
  WebFixture web({
      url("/throws", blocking([](const BlockingRequest&) -> http::ServerResponse {
            throw std::runtime_error("from the thread");
          })),
      url("/full", blocking(&describe, full)),
  });
  CHECK(web.brief("GET", "/throws").starts_with("500 "));
  web.loop.log.expect("from the thread");
  CHECK(web.brief("GET", "/full").starts_with("500 "));
  web.loop.log.expect("Uncaught exception GET /full");
  CHECK(web.loop.log.expect_any("500 GET") == 2);
}

// Flags that a function on another thread and its test set.
struct Meeting {
  std::atomic<bool> begun = false;
  std::atomic<bool> may_end = false;
  std::atomic<bool> ended = false;
};
// Lets the function end, also when the test fails: the pool's destructor waits for its threads.
struct EndOfMeeting {
  ~EndOfMeeting() { meeting->may_end = true; }
  std::shared_ptr<Meeting> meeting;
};

TEST_CASE("a function goes on after its client has gone, and after the application has ended", "[blocking]") {
  const auto meeting = std::make_shared<Meeting>();
  ThreadPool pool;
  const EndOfMeeting end{meeting};
  std::optional<LoopHandle> loop;
  {
    WebFixture web({url("/", blocking(
                                 [meeting, &loop](const BlockingRequest&) {
                                   meeting->begun = true;
                                   loop->add_callback([] {});  // wakes the loop
                                   while (!meeting->may_end) std::this_thread::yield();
                                   meeting->ended = true;
                                   return http::ServerResponse("late");
                                 },
                                 pool))});
    loop = IOLoop::current().handle();
    {
      testing::RawPeer peer = web.connect();
      peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      web.loop.run_until([&] { return meeting->begun.load(); });
      peer.reset();
    }
    web.loop.run_until([&] { return web.loop.log.expect_any("499 GET /") == 1; });
  }
  meeting->may_end = true;
  while (!meeting->ended) std::this_thread::yield();
}

TEST_CASE("a request has the variables of CGI (WSG-03)", "[blocking]") {
  BlockingRequest request;
  request.method = "POST";
  request.path = "/a b";
  request.query = "x=%20";
  request.protocol = "https";
  request.host = "h.example";
  request.remote_ip = "127.0.0.1";
  request.headers = {{"Host", "h.example"},   {"Content-Type", "text/plain"},
                     {"content-length", "4"}, {"X-Two", "a"},
                     {"x-two", "b"},          {"X_Two", "forged"},
                     {"Proxy", "evil"}};
  request.body = "body";
  CHECK(cgi_variables(request) == std::map<std::string, std::string>{
                                      {"REQUEST_METHOD", "POST"},
                                      {"SCRIPT_NAME", ""},
                                      {"PATH_INFO", "/a b"},
                                      {"QUERY_STRING", "x=%20"},
                                      {"REMOTE_ADDR", "127.0.0.1"},
                                      {"SERVER_NAME", "h.example"},
                                      {"SERVER_PORT", "443"},
                                      {"SERVER_PROTOCOL", "HTTP/1.1"},
                                      {"url_scheme", "https"},
                                      {"CONTENT_TYPE", "text/plain"},
                                      {"CONTENT_LENGTH", "4"},
                                      {"HTTP_HOST", "h.example"},
                                      {"HTTP_X_TWO", "a,b"},
                                  });
  request.host = "h.example:8080";
  CHECK(cgi_variables(request).at("SERVER_PORT") == "8080");
}

}  // namespace
}  // namespace squall::web::blocking_test
