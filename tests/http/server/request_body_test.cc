// Bodies that the delegate reads piece by piece.

#include <squall/http/server/http_server.h>

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/http_fixture.h"

namespace squall::http::request_body_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::RawPeer;
using testing::without_date;
using Body = ServerDelegate::Body;

// Answers with the size of the body, the number of its pieces, and its beginning.
class Streaming : public ServerDelegate {
 public:
  Body head_received(Exchange& exchange) override {
    if (max_body_size > 0) exchange.set_max_body_size(max_body_size);
    if (body_timeout > 0ns) exchange.set_body_timeout(body_timeout);
    return Body::streamed;
  }
  void handle_request(Exchange& exchange, Task<>& pending) override {
    ++begun;
    const std::string_view path = exchange.request().path();
    if (path == "/refuse") {
      exchange.set_status(403);
      exchange.finish("no");
    } else if (path == "/wait") {
      pending = wait(*this, exchange, Live());
    } else if (path == "/late") {
      pending = answer_late(exchange);
    } else if (path == "/echo") {
      pending = echo(exchange);
    } else if (path == "/catch") {
      pending = answer_anyway(exchange);
    } else {
      pending = read_all(*this, exchange, Live());
    }
  }
  void client_gone(Exchange&) noexcept override { ++gone; }

  static Task<> read_all(Streaming& me, Exchange& exchange, Live) {
    std::string body;
    int pieces = 0;
    for (;;) {
      const std::string_view piece = co_await exchange.request().read();
      if (piece.empty()) break;
      body += piece;
      me.received += piece.size();
      ++pieces;
    }
    const std::string_view again = co_await exchange.read();
    CHECK(again.empty());
    CHECK(exchange.request_read());
    me.pieces = pieces;
    exchange.finish(fmt::format("{} {}", body.size(), body.substr(0, 20)));
  }
  static Task<> wait(Streaming& me, Exchange& exchange, Live live) {
    while (!me.go) co_await sleep(1ms);
    co_await read_all(me, exchange, live);
  }
  static Task<> answer_late(Exchange& exchange) {
    const std::string_view piece = co_await exchange.read();
    exchange.finish(std::string(piece));
  }
  static Task<> echo(Exchange& exchange) {
    for (;;) {
      const std::string_view piece = co_await exchange.read();
      if (piece.empty()) break;
      exchange.write(piece);
      co_await exchange.flush();
    }
    exchange.finish();
  }
  static Task<> answer_anyway(Exchange& exchange) {
    std::string error;
    try {
      const std::string_view piece = co_await exchange.read();
      error = piece;
    } catch (const HTTPInputError& input_error) {
      error = fmt::format("{} {}", input_error.status(), input_error.what());
    }
    exchange.finish(error);
  }

  std::size_t max_body_size = 0;
  std::chrono::nanoseconds body_timeout{};
  int begun = 0;
  int gone = 0;
  int pieces = 0;
  std::size_t received = 0;
  bool go = false;
};

struct Fixture {
  explicit Fixture(HTTPServer::Options options = HTTPServer::Options()) : server(delegate, options, loop) {
    ListenOptions listen;
    listen.address = "127.0.0.1";
    server.listen(0, listen);
  }
  RawPeer connect() { return RawPeer(server.port()); }
  std::string read_until(RawPeer& peer, std::string_view end) {
    std::string all;
    loop.run_until([&] {
      peer.drain(all);
      return all.ends_with(end);
    });
    return all;
  }
  std::string read_to_end(RawPeer& peer) {
    std::string all;
    loop.run_until([&] { return peer.drain(all); });
    return all;
  }
  testing::TestLoop loop;
  Streaming delegate;
  HTTPServer server;
};

std::string post(std::string_view path, std::string_view headers, std::string_view rest = "") {
  return fmt::format("POST {} HTTP/1.1\r\nHost: h\r\n{}\r\n{}", path, headers, rest);
}

TEST_CASE("a handler reads a body piece by piece as it arrives, and the next request follows",
          "[request_body]") {
  Fixture fixture;
  RawPeer peer = fixture.connect();
  peer.send(post("/", "Content-Length: 6\r\n", "abc"));
  fixture.loop.run_until([&] { return fixture.delegate.received == 3; });
  peer.send("def" + post("/", "Transfer-Encoding: chunked\r\n", "2\r\ngh\r\n1\r\ni\r\n"));
  fixture.loop.run_until([&] { return fixture.delegate.received == 9; });
  CHECK(fixture.delegate.pieces == 2);
  peer.send("0\r\n\r\n" + post("/", ""));
  const std::string all = fixture.read_until(peer, "\r\n\r\n0 ");
  CHECK(all.find("\r\n\r\n6 abcdef") != all.npos);
  CHECK(all.find("\r\n\r\n3 ghi") != all.npos);
  CHECK(all.find("Connection: close") == all.npos);
}

// Keeps each piece while other requests are served; counts the bytes other than 'a'.
class Holding : public ServerDelegate {
 public:
  Body head_received(Exchange&) override { return Body::streamed; }
  void handle_request(Exchange& exchange, Task<>& pending) override { pending = hold(*this, exchange); }
  static Task<> hold(Holding& me, Exchange& exchange) {
    std::size_t size = 0;
    std::size_t wrong = 0;
    for (;;) {
      const std::string_view piece = co_await exchange.request().read();
      if (piece.empty()) break;
      const int begun = me.others;
      if (exchange.request().path() == "/hold") {
        ++me.held;
        while (me.others < begun + 3) co_await sleep(1ms);
        wrong += static_cast<std::size_t>(std::ranges::count_if(piece, [](char c) { return c != 'a'; }));
      } else {
        ++me.others;
      }
      size += piece.size();
    }
    exchange.finish(fmt::format("{} bytes, {} wrong", size, wrong));
  }
  int held = 0;
  int others = 0;
};

TEST_CASE("a piece of a body stays unchanged while the handler keeps it", "[request_body]") {
  testing::TestLoop loop;
  Holding delegate;
  HTTPServer server(delegate, loop);
  ListenOptions listen;
  listen.address = "127.0.0.1";
  server.listen(0, listen);
  const std::size_t size = GENERATE(50, 3'000, 30'000);
  RawPeer holding(server.port());
  holding.send(post("/hold", fmt::format("Content-Length: {}\r\n", size), std::string(size, 'a')));
  loop.run_until([&] { return delegate.held > 0; });
  std::string all;
  std::vector<RawPeer> others;
  loop.run_until([&] {
    others.emplace_back(server.port());
    others.back().send(post("/", "Content-Length: 50000\r\n", std::string(40'000, 'x')));
    loop.run_turn();
    holding.drain(all);
    return all.ends_with("wrong");
  });
  CHECK(all.ends_with(fmt::format("\r\n\r\n{} bytes, 0 wrong", size)));
}

// Reads all of the body, and then waits for something else.
class Waiting : public ServerDelegate {
 public:
  Body head_received(Exchange&) override { return Body::streamed; }
  void handle_request(Exchange& exchange, Task<>& pending) override {
    pending = read_and_wait(*this, exchange, Live());
  }
  void client_gone(Exchange&) noexcept override { ++gone; }
  static Task<> read_and_wait(Waiting& me, Exchange& exchange, Live) {
    // The body arrives meanwhile, so no read has to wait.
    ++me.begun;
    while (!me.go) co_await sleep(1ms);
    for (;;) {
      const std::string_view piece = co_await exchange.request().read();
      if (piece.empty()) break;
    }
    ++me.read;
    co_await sleep(1h);
  }
  int begun = 0;
  int read = 0;
  int gone = 0;
  bool go = false;
};

TEST_CASE("a handler that has read its body and waits is cancelled when the client resets",
          "[request_body]") {
  testing::TestLoop loop;
  Waiting delegate;
  HTTPServer server(delegate, loop);
  ListenOptions listen;
  listen.address = "127.0.0.1";
  server.listen(0, listen);
  RawPeer peer(server.port());
  peer.send(post("/", "Content-Length: 4\r\n"));
  loop.run_until([&] { return delegate.begun == 1; });
  peer.send("data");
  for (int i = 0; i < 3; ++i) loop.run_turn();
  delegate.go = true;
  loop.run_until([&] { return delegate.read == 1; });
  peer.reset();
  loop.run_until([&] { return Live::count == 0; });
  CHECK(delegate.gone == 1);
}

TEST_CASE("pieces are no longer than chunk_size (H1C-02)", "[request_body]") {
  HTTPServer::Options options;
  options.chunk_size = 100;
  Fixture fixture(options);
  RawPeer peer = fixture.connect();
  peer.send(post("/", "Content-Length: 1000\r\nConnection: close\r\n", std::string(1000, 'x')));
  CHECK(fixture.read_to_end(peer).ends_with("1000 xxxxxxxxxxxxxxxxxxxx"));
  CHECK(fixture.delegate.pieces >= 10);
}

TEST_CASE("a handler that does not read holds the client back", "[request_body]") {
  Fixture fixture;
  RawPeer peer = fixture.connect();
  peer.send(post("/wait", "Content-Length: 100000000\r\n"));
  const std::string piece(100'000, 'x');
  std::size_t sent = 0;
  for (int quiet = 0; quiet < 100; ++quiet) {
    const std::size_t now = peer.send_some(piece);
    sent += now;
    if (now > 0) quiet = 0;
    fixture.loop.run_turn();
  }
  // The kernel's buffers take some megabytes; the server takes nothing.
  CHECK(sent < 30'000'000);
  fixture.delegate.go = true;
  fixture.loop.run_until([&] {
    sent += peer.send_some(
        std::string_view(piece).substr(0, std::min<std::size_t>(piece.size(), 100'000'000 - sent)));
    return sent == 100'000'000;
  });
  CHECK(fixture.read_until(peer, "xxxx").find("100000000 xxx") != std::string::npos);
}

TEST_CASE("a body is echoed while it arrives", "[request_body]") {
  Fixture fixture;
  RawPeer peer = fixture.connect();
  peer.send(post("/echo", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n"));
  CHECK(fixture.read_until(peer, "3\r\nabc\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
  peer.send("3\r\ndef\r\n0\r\n\r\n");
  CHECK(fixture.read_until(peer, "0\r\n\r\n") == "3\r\ndef\r\n0\r\n\r\n");
  peer.send(post("/", ""));
  fixture.read_until(peer, "0 ");
}

TEST_CASE("100 Continue is sent when the handler begins to read, and never if it does not read (H1C-17)",
          "[request_body]") {
  Fixture fixture;
  RawPeer peer = fixture.connect();
  peer.send(post("/wait", "Expect: 100-continue\r\nContent-Length: 3\r\n"));
  fixture.loop.run_until([&] { return Live::count > 0; });
  for (int i = 0; i < 5; ++i) fixture.loop.run_turn();
  CHECK(peer.received().empty());
  fixture.delegate.go = true;
  CHECK(fixture.read_until(peer, "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  peer.send("abc");
  fixture.read_until(peer, "3 abc");
  RawPeer other = fixture.connect();
  other.send(post("/refuse", "Expect: 100-continue\r\nContent-Length: 3\r\n"));
  CHECK(fixture.read_to_end(other).starts_with("HTTP/1.1 403 Forbidden\r\n"));
}

TEST_CASE("an answer before the end of the body can be read by the client and closes the connection (H1C-19)",
          "[request_body]") {
  Fixture fixture;
  for (const char* path : {"/refuse", "/late"}) {
    RawPeer peer = fixture.connect();
    peer.send(post(path, "Content-Length: 500000\r\n", "begin"));
    std::string all = fixture.read_until(peer, path[1] == 'r' ? "no" : "begin");
    CHECK(all.find("\r\nConnection: close\r\n") != all.npos);
    // The server drops the rest of the body without a reset.
    peer.send(std::string(100'000, 'x'));
    for (int i = 0; i < 5; ++i) fixture.loop.run_turn();
    CHECK(peer.send_some("x") == 1);
    peer.close();
    fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
  }
}

TEST_CASE("a malformed body is answered 400, unless the handler sends another answer", "[request_body]") {
  Fixture fixture;
  RawPeer peer = fixture.connect();
  peer.send(post("/", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n"));
  fixture.loop.run_until([&] { return fixture.delegate.received == 3; });
  peer.send("x\r\n");
  CHECK(fixture.read_to_end(peer).find("400 Bad Request: Invalid character in chunk size\n") !=
        std::string::npos);
  RawPeer other = fixture.connect();
  other.send(post("/catch", "Transfer-Encoding: chunked\r\n", "x\r\n"));
  const std::string answer = fixture.read_to_end(other);
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.ends_with("Connection: close\r\n\r\n400 Invalid character in chunk size"));
  RawPeer echo = fixture.connect();
  echo.send(post("/echo", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n"));
  std::string part = fixture.read_until(echo, "abc\r\n");
  echo.send("x\r\n");
  // The client has a part of the answer, and must not take it for the whole answer.
  CHECK_FALSE(echo.drain(part));
  fixture.loop.run_until([&] { return echo.drain(part); });
  CHECK_FALSE(part.ends_with("0\r\n\r\n"));
  CHECK(Live::count == 0);
}

TEST_CASE("a request may set its own body limit, above or below the server's (H1C-05)", "[request_body]") {
  HTTPServer::Options options;
  options.max_body_size = 1000;
  Fixture fixture(options);
  const auto answer = [&](std::size_t limit, std::string_view headers, std::string_view rest) {
    fixture.delegate.max_body_size = limit;
    RawPeer peer = fixture.connect();
    peer.send(post("/", fmt::format("{}Connection: close\r\n", headers), rest));
    peer.half_close();
    return fixture.read_to_end(peer).substr(9, 3);
  };
  const std::string body(1001, 'x');
  CHECK(answer(0, "Content-Length: 1001\r\n", body) == "413");
  CHECK(answer(1001, "Content-Length: 1001\r\n", body) == "200");
  CHECK(answer(1001, "Transfer-Encoding: chunked\r\n", "3e9\r\n" + body + "\r\n0\r\n\r\n") == "200");
  CHECK(answer(1000, "Transfer-Encoding: chunked\r\n", "3e9\r\n" + body + "\r\n0\r\n\r\n") == "413");
  CHECK(answer(10, "Content-Length: 11\r\n", body) == "413");
}

TEST_CASE(
    "a client that stalls while its body is read is answered 408, and the handler is cancelled (H1C-14)",
    "[request_body]") {
  for (const bool own : {false, true}) {
    HTTPServer::Options options;
    options.body_timeout = own ? 1h : std::chrono::nanoseconds(40ms);
    Fixture fixture(options);
    if (own) fixture.delegate.body_timeout = 40ms;
    RawPeer peer = fixture.connect();
    peer.send(post("/", "Content-Length: 10\r\n", "abc"));
    const std::string answer = fixture.read_until(peer, "Timeout reading the request's body\n");
    CHECK(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
    CHECK(Live::count == 0);
    CHECK(fixture.delegate.gone == 1);
  }
}

TEST_CASE("time in which the handler does not read does not count against body_timeout", "[request_body]") {
  HTTPServer::Options options;
  options.idle_timeout = options.body_timeout = 300ms;
  Fixture fixture(options);
  RawPeer peer = fixture.connect();
  peer.send(post("/wait", "Content-Length: 3\r\n", "abc"));
  fixture.loop.run_until([&] { return Live::count > 0; });
  const auto begun = IOLoop::Clock::now();
  fixture.loop.run_until([&] { return IOLoop::Clock::now() - begun > 700ms; });
  fixture.delegate.go = true;
  CHECK(fixture.read_until(peer, "3 abc").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("a client that goes away while its body is read cancels the handler", "[request_body]") {
  for (const bool reset : {false, true}) {
    for (const char* path : {"/", "/wait"}) {
      Fixture fixture;
      RawPeer peer = fixture.connect();
      peer.send(post(path, "Content-Length: 10\r\n", "abc"));
      fixture.loop.run_until([&] { return Live::count > 0; });
      for (int i = 0; i < 3; ++i) fixture.loop.run_turn();
      reset ? peer.reset() : peer.close();
      fixture.delegate.go = true;
      fixture.loop.run_until([&] { return Live::count == 0 && fixture.server.connections() == 0; });
    }
  }
}

TEST_CASE("destroying the server destroys a handler that reads a body", "[request_body]") {
  auto fixture = std::make_unique<Fixture>();
  RawPeer peer = fixture->connect();
  peer.send(post("/", "Content-Length: 10\r\n", "abc"));
  fixture->loop.run_until([&] { return fixture->delegate.received == 3; });
  fixture.reset();
  CHECK(Live::count == 0);
}

TEST_CASE("a collected body can also be read(), once", "[request_body]") {
  testing::HTTPFixture fixture([](Exchange& exchange, Task<>& pending) {
    pending = [](Exchange& exchange) -> Task<> {
      const std::string_view body = co_await exchange.read();
      const std::string_view rest = co_await exchange.read();
      exchange.finish(fmt::format("{}|{}", body, rest));
    }(exchange);
  });
  CHECK(
      fixture.talk(post("/", "Content-Length: 3\r\nConnection: close\r\n", "abc")).ends_with("\r\n\r\nabc|"));
  CHECK(fixture.talk(post("/", "Connection: close\r\n")).ends_with("\r\n\r\n|"));
}

TEST_CASE("trailers are available once the body is read, apart from the headers", "[request_body]") {
  testing::HTTPFixture fixture([](Exchange& exchange, Task<>&) {
    const ServerRequest& request = exchange.request();
    exchange.finish(fmt::format("{} {} {}", request.trailers().get("X-Sum"), request.trailers().size(),
                                request.headers().contains("X-Sum")));
  });
  RawPeer peer = fixture.connect();
  peer.send(post("/", "Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\nX-Sum: 42 \r\nHost: evil\r\n\r\n"));
  CHECK(fixture.read_responses(peer, 1).ends_with("\r\n\r\n42 2 false"));
  peer.send(post("/", "Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n\r\n"));
  CHECK(fixture.read_responses(peer, 1).ends_with("\r\n\r\n 0 false"));
}

// Attaches a note to each request with a body, and answers with the note.
class Noting : public ServerDelegate {
 public:
  struct Note : Exchange::Attachment {
    explicit Note(std::string_view path) : text(path) {}
    std::string text;
    Live live;
  };
  Body head_received(Exchange& exchange) override {
    exchange.attach(std::make_unique<Note>(exchange.request().path()));
    return Body::collected;
  }
  void handle_request(Exchange& exchange, Task<>&) override {
    const auto* const note = static_cast<const Note*>(exchange.attachment());
    exchange.finish(note ? note->text : "none");
  }
};

TEST_CASE("what a delegate attaches to a request is destroyed with the request", "[request_body]") {
  testing::TestLoop loop;
  Noting delegate;
  HTTPServer server(delegate, loop);
  ListenOptions listen;
  listen.address = "127.0.0.1";
  server.listen(0, listen);
  RawPeer peer(server.port());
  std::string all;
  const auto answers_end_with = [&](std::string_view end) {
    return [&all, &peer, end] {
      peer.drain(all);
      return all.ends_with(end);
    };
  };
  peer.send(post("/first", "Content-Length: 4\r\n") + "da");
  loop.run_until([] { return Live::count == 1; });
  peer.send("ta");
  loop.run_until(answers_end_with("\r\n\r\n/first"));
  CHECK(Live::count == 0);
  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  loop.run_until(answers_end_with("\r\n\r\nnone"));
  // A body that does not come.
  peer.send(post("/second", "Content-Length: 4\r\n") + "da");
  loop.run_until([] { return Live::count == 1; });
  peer.close();
  loop.run_until([] { return Live::count == 0; });
  loop.log.expect("400 POST /second (127.0.0.1)");
}

}  // namespace
}  // namespace squall::http::request_body_test
