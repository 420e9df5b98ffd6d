// HTTP without the framework: delegates with Tornado's interface, and servers made of one function.

#include <squall/http/server/http_server_connection_delegate.h>
#include <squall/http/server/serve.h>

#include <fmt/format.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/http_fixture.h"

namespace squall::http::delegates_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::RawPeer;
using testing::TestLoop;
using testing::without_date;

std::string read_to_end(TestLoop& loop, RawPeer& peer) {
  std::string all;
  loop.run_until([&] { return peer.drain(all); });
  return all;
}
std::string talk(TestLoop& loop, HTTPServer& server, std::string_view bytes) {
  RawPeer peer(server.port());
  peer.send(bytes);
  return read_to_end(loop, peer);
}
ListenOptions loopback() {
  ListenOptions options;
  options.address = "127.0.0.1";
  return options;
}
std::string get(std::string_view path, std::string_view headers = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n{}\r\n", path, headers);
}
constexpr std::string_view kClose = "Connection: close\r\n";

// ---- Delegates.

// Records its calls in `calls`, and answers as the path says.
struct Recorder : HTTPMessageDelegate {
  Recorder(std::string& calls, HTTPConnection& connection) : calls(calls), connection(connection) {}
  Task<> headers_received(const ServerRequest& request) override {
    calls += fmt::format("head {};", request.path());
    if (request.path() == "/early") answer("early");
    if (request.path() == "/limit") connection.set_max_body_size(2);
    if (request.path() == "/throw") throw std::runtime_error("thrown");
    if (request.path() == "/later") return wait();
    return {};
  }
  Task<> data_received(std::string_view piece) override {
    calls += fmt::format("data {};", piece);
    if (connection.request().path() == "/slow") return wait();
    return {};
  }
  void finish() override {
    calls += "finish;";
    if (connection.request().path() == "/never") return;
    if (!connection.exchange().finished()) answer("done");
  }
  void on_connection_close() override { calls += "close;"; }

  Task<> wait() {
    const Live live;
    co_await sleep(1ms);
    calls += "waited;";
  }
  void answer(std::string_view text) {
    Headers headers;
    headers.add("Content-Length", std::to_string(text.size()));
    connection.write_headers(ResponseStartLine(200), headers, text.substr(0, 2));
    connection.write(text.substr(2));
    connection.finish();
  }

  std::string& calls;
  HTTPConnection& connection;
};

struct Recording : HTTPServerConnectionDelegate {
  std::unique_ptr<HTTPMessageDelegate> start_request(const ServerConnection& server_connection,
                                                     HTTPConnection& connection) override {
    connections.push_back(&server_connection);
    if (refuses) return nullptr;
    return std::make_unique<Recorder>(calls, connection);
  }
  void on_close(const ServerConnection&) noexcept override { ++closed; }

  std::string calls;
  std::vector<const ServerConnection*> connections;
  int closed = 0;
  bool refuses = false;
};

struct Fixture {
  explicit Fixture(HTTPServer::Options options = HTTPServer::Options()) : server(delegate, options, loop) {
    server.listen(0, loopback());
  }
  // Sends `bytes` as a client. Returns the calls of the delegate, and leaves the response in `answer`.
  std::string calls_for(std::string_view bytes) {
    delegate.calls.clear();
    answer = without_date(talk(loop, server, bytes));
    loop.run_until([&] { return server.connections() == 0; });
    return delegate.calls;
  }
  TestLoop loop;
  Recording delegate;
  HTTPServer server;
  std::string answer;
};

std::string post(std::string_view path, std::string_view body) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n{}\r\n{}", path, body.size(),
                     kClose, body);
}

TEST_CASE("a message delegate is called for the head, the body and the end (HUT-101)", "[delegates]") {
  Fixture fixture;
  CHECK(fixture.calls_for(get("/a", kClose)) == "head /a;finish;");
  CHECK(fixture.answer ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndone");
  CHECK(fixture.calls_for(post("/b", "abc")) == "head /b;data abc;finish;");
  CHECK(fixture.calls_for(
            "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n") == "head /c;data abc;finish;");
  CHECK(fixture.answer.ends_with("\r\n\r\ndone"));
}

TEST_CASE("the next call waits until the task of the last call has ended", "[delegates]") {
  Fixture fixture;
  CHECK(fixture.calls_for(post("/later", "abc")) == "head /later;waited;data abc;finish;");
  CHECK(fixture.calls_for(post("/slow", "abc")) == "head /slow;data abc;waited;finish;");
  CHECK(Live::count == 0);
}

TEST_CASE("after an early answer the rest of the body is not delivered (H1C-19)", "[delegates]") {
  Fixture fixture;
  CHECK(fixture.calls_for(post("/early", std::string(100, 'x'))) == "head /early;close;");
  CHECK(fixture.answer.ends_with("early"));
  CHECK(fixture.calls_for(get("/early", kClose)) == "head /early;finish;");
}

TEST_CASE("on_connection_close is called instead of finish if the client goes away or the body is refused",
          "[delegates]") {
  Fixture fixture;
  for (const std::string& part : {post("/", "abc").substr(0, post("/", "abc").size() - 1),
                                  post("/limit", "abc"), post("/throw", "abc")}) {
    fixture.delegate.calls.clear();
    RawPeer peer(fixture.server.port());
    peer.send(part);
    fixture.loop.run_until([&] { return fixture.delegate.calls.find("head") == 0; });
    for (int i = 0; i < 3; ++i) fixture.loop.run_turn();
    peer.close();
    fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
    CHECK(fixture.delegate.calls.find("finish") == std::string::npos);
    CHECK(fixture.delegate.calls.ends_with("close;"));
  }
  fixture.loop.log.expect("thrown");
}

TEST_CASE("the connection stays open until a late response, and a client that resets closes it (H1C-16)",
          "[delegates]") {
  Fixture fixture;
  RawPeer peer(fixture.server.port());
  peer.send(get("/never"));
  fixture.loop.run_until([&] { return fixture.delegate.calls == "head /never;finish;"; });
  for (int i = 0; i < 3; ++i) fixture.loop.run_turn();
  CHECK(fixture.server.connections() == 1);
  peer.reset();
  fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
  // finish() was the last call: on_connection_close() does not follow it.
  CHECK(fixture.delegate.calls == "head /never;finish;");
}

TEST_CASE("requests of a connection get the same object, and on_close is called once (HUT-100)",
          "[delegates]") {
  Fixture fixture;
  RawPeer peer(fixture.server.port());
  for (int i = 0; i < 3; ++i) {
    peer.send(get("/"));
    std::string all;
    fixture.loop.run_until([&] {
      peer.drain(all);
      return all.ends_with("done");
    });
  }
  CHECK(fixture.delegate.connections.size() == 3);
  CHECK(fixture.delegate.connections[0] == fixture.delegate.connections[2]);
  CHECK(fixture.delegate.closed == 0);
  peer.close();
  fixture.loop.run_until([&] { return fixture.delegate.closed == 1; });
  fixture.delegate.refuses = true;
  CHECK(talk(fixture.loop, fixture.server, get("/")).empty());
  fixture.loop.run_until([&] { return fixture.delegate.closed == 2; });
}

// ---- One function.

TEST_CASE("a function of a request returns a response, or a task of a response", "[serve]") {
  TestLoop loop;
  ServeOptions options;
  options.listen = loopback();
  const auto server = serve(
      0,
      [](ServerRequest& request) {
        return ServerResponse(fmt::format("{} {}", request.path(), request.body()));
      },
      options);
  CHECK(without_date(talk(loop, *server, post("/a", "abc"))) ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Type: text/html; "
        "charset=UTF-8\r\nContent-Length: 6\r\n"
        "Connection: close\r\n\r\n/a abc");
  const std::string suffix = "!";
  const auto later = [suffix](ServerRequest& request) -> Task<ServerResponse> {
    // The captures live as long as the server. Parameters are safer: they live in the coroutine's frame.
    return [](ServerRequest& request, std::string suffix) -> Task<ServerResponse> {
      co_await sleep(1ms);
      co_return ServerResponse(404, std::string(request.path()) + suffix, "text/plain");
    }(request, suffix);
  };
  const auto slow = serve(0, later, options);
  CHECK(talk(loop, *slow, get("/b", kClose)).ends_with("\r\n\r\n/b!"));
  loop.log.expect("404 GET /b (127.0.0.1) ");
}

TEST_CASE("a function of an exchange streams both ways", "[serve]") {
  TestLoop loop;
  ServeOptions options;
  options.listen = loopback();
  options.body = ServerDelegate::Body::streamed;
  const auto server = serve(
      0,
      [](Exchange& exchange) -> Task<> {
        for (;;) {
          const std::string_view piece = co_await exchange.read();
          if (piece.empty()) break;
          exchange.write(piece);
          co_await exchange.flush();
        }
        exchange.finish("end");
      },
      options);
  CHECK(talk(loop, *server, post("/", "abc")).ends_with("\r\n\r\n3\r\nabc\r\n3\r\nend\r\n0\r\n\r\n"));
}

TEST_CASE("an exception from a function is logged and answered 500, and the server goes on", "[serve]") {
  TestLoop loop;
  ServeOptions options;
  options.listen = loopback();
  const auto server = serve(
      0,
      [](Exchange& exchange) {
        if (exchange.request().path() == "/begun") exchange.write("part");
        if (exchange.request().path() == "/bad") throw HTTPInputError(422, "not like that");
        if (exchange.request().path() != "/fine") throw std::runtime_error("thrown");
        exchange.finish("fine");
      },
      options);
  CHECK(talk(loop, *server, get("/x", kClose)).starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
  loop.log.expect("Uncaught exception GET /x (127.0.0.1): thrown");
  loop.log.expect("500 GET /x (127.0.0.1) ");
  CHECK(talk(loop, *server, get("/begun")).find("0\r\n\r\n") == std::string::npos);
  loop.log.expect("Uncaught exception GET /begun");
  loop.log.expect_any("GET /begun");
  CHECK(talk(loop, *server, get("/bad")).ends_with("422 Unprocessable Content: not like that\n"));
  loop.log.expect("422 GET /bad");
  CHECK(talk(loop, *server, get("/fine", kClose)).ends_with("fine"));
}

TEST_CASE("a client that goes away cancels a function's task", "[serve]") {
  TestLoop loop;
  ServeOptions options;
  options.listen = loopback();
  const auto server = serve(
      0,
      [](ServerRequest&) -> Task<ServerResponse> {
        const Live live;
        co_await sleep(1h);
        co_return ServerResponse("late");
      },
      options);
  RawPeer peer(server->port());
  peer.send(get("/"));
  loop.run_until([&] { return Live::count > 0; });
  peer.reset();
  loop.run_until([&] { return Live::count == 0; });
  loop.log.expect("499 GET / (127.0.0.1) ");
  RawPeer other(server->port());
  other.send(get("/"));
  loop.run_until([&] { return Live::count > 0; });
}

TEST_CASE("a request whose body was too slow, or that was left unanswered, is logged with its outcome",
          "[serve]") {
  TestLoop loop;
  ServeOptions options;
  options.listen = loopback();
  options.body = ServerDelegate::Body::streamed;
  options.server.body_timeout = 40ms;
  options.server.linger_timeout = 40ms;
  const auto server = serve(
      0,
      [](Exchange& exchange) -> Task<> {
        if (exchange.request().path() != "/forgotten") co_await exchange.read();
      },
      options);
  RawPeer slow(server->port());
  slow.send("POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n");
  CHECK(read_to_end(loop, slow).starts_with("HTTP/1.1 408 "));
  loop.log.expect("408 POST /slow (127.0.0.1) ");
  loop.log.expect_any("Timeout reading");
  CHECK(talk(loop, *server, get("/forgotten")).empty());
  loop.log.expect("500 GET /forgotten (127.0.0.1) ");
  loop.log.expect_any("the request was not answered");
}

TEST_CASE("serve() serves one stream until it ends", "[serve]") {
  TestLoop loop;
  auto pair = testing::tcp_pair();
  RawPeer peer(std::move(pair.second));
  peer.send(get("/a") + get("/b", kClose));
  loop.run(serve_stream(IOStream(std::move(pair.first), loop), [](ServerRequest& request) {
    return ServerResponse(std::string(request.path()), "text/plain");
  }));
  const std::string all = read_to_end(loop, peer);
  CHECK(all.find("\r\n\r\n/aHTTP/1.1 200 OK\r\n") != all.npos);
  CHECK(all.ends_with("\r\n\r\n/b"));
  CHECK(Live::count == 0);
}

}  // namespace
}  // namespace squall::http::delegates_test
