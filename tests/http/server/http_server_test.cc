#include <squall/http/server/http_server.h>
#include <squall/iostream/socket/socket.h>

#include <fmt/format.h>
#include <sys/socket.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "support/http_fixture.h"

namespace squall::http::http_server_test {
namespace {

using namespace std::chrono_literals;
using testing::describe;
using testing::HTTPFixture;
using testing::Live;
using testing::RawPeer;
using testing::without_date;

std::string get(std::string_view path, std::string_view headers = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n{}\r\n", path, headers);
}
std::string answer_to(std::string_view line, std::string_view headers = "") {
  return fmt::format("HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Length: {}\r\n{}\r\n{}", line.size(),
                     headers, line);
}

TEST_CASE("a connection serves one request after another", "[http_server]") {
  HTTPFixture fixture;
  RawPeer peer = fixture.connect();
  for (int i = 0; i < 5; ++i) {
    peer.send(get("/" + std::to_string(i)));
    CHECK(without_date(fixture.read_responses(peer, 1)) == answer_to(fmt::format("GET /{} 0\n", i)));
  }
  CHECK(fixture.server.connections() == 1);
}

TEST_CASE("pipelined requests are answered in order, however long their handlers take (H1C-18)",
          "[http_server]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>& pending) {
    if (exchange.request().path().size() % 2) return describe(exchange, pending);
    pending = [](Exchange& exchange) -> Task<> {
      co_await sleep(1ms);
      Task<> none;
      describe(exchange, none);
    }(exchange);
  });
  RawPeer peer = fixture.connect();
  std::string requests;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const std::string path = "/" + std::string(static_cast<std::size_t>(i % 3), 'p') + std::to_string(i);
    requests += get(path);
    expected += answer_to("GET " + path + " 0\n");
  }
  peer.send(requests);
  CHECK(without_date(fixture.read_responses(peer, 300)) == expected);
}

TEST_CASE("the connection is closed or kept as the client asks, in HTTP/1.1 and 1.0 (H1C-50 to H1C-54)",
          "[http_server]") {
  HTTPFixture fixture;
  CHECK(without_date(fixture.talk(get("/", "Connection: close\r\n"))) ==
        answer_to("GET / 0\n", "Connection: close\r\n"));
  CHECK(without_date(fixture.talk(get("/", "Connection: Close, x\r\n"))) ==
        answer_to("GET / 0\n", "Connection: close\r\n"));
  CHECK(without_date(fixture.talk("GET / HTTP/1.0\r\n\r\n")) ==
        answer_to("GET / 0\n", "Connection: close\r\n"));
  RawPeer peer = fixture.connect();
  for (int i = 0; i < 2; ++i) {
    peer.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(without_date(fixture.read_responses(peer, 1)) ==
          answer_to("GET / 0\n", "Connection: keep-alive\r\n"));
  }
}

TEST_CASE("without keep_alive a connection serves one request (H1C-55)", "[http_server]") {
  HTTPFixture::Options options;
  options.keep_alive = false;
  HTTPFixture fixture(describe, options);
  CHECK(without_date(fixture.talk(get("/a"))) == answer_to("GET /a 0\n", "Connection: close\r\n"));
}

TEST_CASE("bytes behind a request with Connection: close are ignored", "[http_server]") {
  HTTPFixture fixture;
  CHECK(without_date(fixture.talk(get("/a", "Connection: close\r\n") + get("/b"))) ==
        answer_to("GET /a 0\n", "Connection: close\r\n"));
  CHECK(fixture.delegate.requests == 1);
}

TEST_CASE("a client that still sends after the last answer can read it before the connection is reset",
          "[http_server]") {
  HTTPFixture fixture;
  RawPeer peer = fixture.connect();
  peer.send(get("/a", "Connection: close\r\n") + get("/b"));
  std::string all;
  fixture.loop.run_until(
      [&] { return peer.drain(all); });  // the end of the server's bytes; the connection lingers
  CHECK(without_date(all) == answer_to("GET /a 0\n", "Connection: close\r\n"));
  for (int i = 0; i < 3; ++i) {
    peer.send(get("/c"));
    for (int turn = 0; turn < 3; ++turn) fixture.loop.run_turn();
  }
  CHECK(pending_error(peer.fd()) == 0);
  CHECK(fixture.server.connections() == 1);
  peer.close();
  fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
  CHECK(fixture.delegate.requests == 1);
}

TEST_CASE("earlier answers are sent if the delegate of a later request fails", "[http_server]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>& task) {
    if (exchange.request().path() == "/fails") throw std::runtime_error("as it must");
    describe(exchange, task);
  });
  CHECK(without_date(fixture.talk(get("/a") + get("/fails"))) == answer_to("GET /a 0\n"));
  fixture.loop.log.expect("Uncaught exception answering 127.0.0.1");
}

TEST_CASE("bodies arrive complete, with a length or in chunks, in pieces of any size", "[http_server]") {
  HTTPFixture fixture;
  const std::string length =
      "POST /l HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
  const std::string chunks =
      "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      "3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\nT: v\r\n\r\n";
  CHECK(without_date(fixture.talk(length)) == answer_to("POST /l 5\n", "Connection: close\r\n"));
  CHECK(without_date(fixture.talk(chunks)) == answer_to("POST /c 7\n", "Connection: close\r\n"));
  CHECK(without_date(fixture.talk_slowly(length)) == answer_to("POST /l 5\n", "Connection: close\r\n"));
  CHECK(without_date(fixture.talk_slowly(chunks)) == answer_to("POST /c 7\n", "Connection: close\r\n"));
}

TEST_CASE("a body of a megabyte comes back byte for byte", "[http_server]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>&) { exchange.finish(exchange.request().body()); });
  std::string body(1'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 + i / 256);
  RawPeer peer = fixture.connect();
  const std::string request =
      fmt::format("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.size()) + body;
  std::string_view rest = request;
  std::string all;
  fixture.loop.run_until([&] {
    rest.remove_prefix(peer.send_some(rest));
    peer.drain(all);
    return all.size() > body.size() && all.ends_with(body.substr(body.size() - 100));
  });
  CHECK((all.substr(all.find("\r\n\r\n") + 4) == body));
}

TEST_CASE("100 Continue is sent only if the body has not begun to arrive (H1C-17)", "[http_server]") {
  HTTPFixture fixture;
  RawPeer peer = fixture.connect();
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
  peer.send(head);
  CHECK(fixture.read_responses(peer, 1) == "HTTP/1.1 100 Continue\r\n\r\n");
  peer.send("ab");
  CHECK(without_date(fixture.read_responses(peer, 1)) == answer_to("POST / 2\n"));
  peer.send(head + "ab");
  CHECK(without_date(fixture.read_responses(peer, 1)) == answer_to("POST / 2\n"));
  peer.send("POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: keep-alive\r\n\r\n");
  fixture.loop.run_turn();
  fixture.loop.run_turn();
  CHECK(peer.received().empty());
}

TEST_CASE("a complete request is answered although the client has ended its bytes", "[http_server]") {
  HTTPFixture fixture;
  RawPeer peer = fixture.connect();
  peer.send(get("/a") + get("/b"));
  peer.half_close();
  CHECK(without_date(fixture.read_to_end(peer)) == answer_to("GET /a 0\n") + answer_to("GET /b 0\n"));
}

// A stream whose next read completes at once, without the poller.
IOStream ready_stream(IOLoop& loop, RawPeer& peer, OwnedFd fd) {
  IOStream::Options options;
  options.max_buffer_size = 300;
  IOStream stream(std::move(fd), options, loop);
  peer.send(std::string(600, 'B'));
  // This read fills the buffer, so the stream expects more bytes in the socket.
  loop.run_sync([](IOStream& stream) -> Task<> { co_await stream.read_bytes(300); }(stream));
  return stream;
}

TEST_CASE("a read of another stream within a handler does not change the pipelined requests",
          "[http_server]") {
  static constexpr auto read = [](IOStream& stream, std::string& got) -> Task<> {
    got = co_await stream.read_some();
  };
  for (const bool waits : {false, true}) {
    CAPTURE(waits);
    IOStream* backend = nullptr;
    std::string got;
    HTTPFixture fixture([&](Exchange& exchange, Task<>& pending) {
      if (exchange.request().path() != "/read") return describe(exchange, pending);
      if (waits) {
        pending = [](Exchange& exchange, IOStream& stream, std::string& got) -> Task<> {
          co_await read(stream, got);
          exchange.finish("read");
        }(exchange, *backend, got);
      } else {
        exchange.finish("read");
        IOLoop::current().spawn(read(*backend, got));
      }
    });
    auto pair = testing::tcp_pair();
    RawPeer far(std::move(pair.second));
    IOStream stream = ready_stream(fixture.loop, far, std::move(pair.first));
    backend = &stream;
    RawPeer peer = fixture.connect();
    peer.send(get("/read") + get("/one") + get("/two"));
    CHECK(without_date(fixture.read_responses(peer, 3)) ==
          answer_to("read") + answer_to("GET /one 0\n") + answer_to("GET /two 0\n"));
    CHECK(got == std::string(300, 'B'));
  }
}

// A delegate whose handlers wait for `go`.
struct Slow {
  testing::FunctionDelegate::Function function() {
    return [this](Exchange& exchange, Task<>& pending) { pending = wait(exchange, *this, Live()); };
  }
  static Task<> wait(Exchange& exchange, Slow& slow, Live) {
    if (slow.shielded) exchange.run_to_end();
    if (slow.finishes_first) exchange.finish("slow");
    while (!slow.go) co_await moment();
    if (!slow.finishes_first) exchange.finish("slow");
    slow.done = true;
  }
  bool shielded = false;
  bool finishes_first = false;
  bool go = false;
  bool done = false;
};

HTTPFixture::Options half_closed_is_gone() {
  HTTPFixture::Options options;
  options.half_closed = HTTPFixture::Options::HalfClosed::is_gone;
  return options;
}

TEST_CASE("a client that resets, or ends its bytes and then counts as gone, cancels the handler that waits",
          "[http_server]") {
  for (const bool reset : {false, true}) {
    Slow slow;
    HTTPFixture fixture(slow.function(), reset ? HTTPFixture::Options() : half_closed_is_gone());
    RawPeer peer = fixture.connect();
    peer.send(get("/"));
    fixture.loop.run_until([&] { return Live::count > 0; });
    if (reset) {
      peer.reset();
    } else {
      peer.close();
    }
    fixture.loop.run_until([&] { return Live::count == 0; });
    fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
    CHECK(fixture.delegate.gone == 1);
    CHECK_FALSE(slow.done);
  }
}

TEST_CASE("a client that has sent more than its request and resets the connection cancels the handler",
          "[http_server]") {
  for (const std::string& more : {std::string("\r\n"), get("/next")}) {
    Slow slow;
    HTTPFixture fixture(slow.function());
    if (!testing::hears_hangups(fixture.loop)) return;
    RawPeer peer = fixture.connect();
    peer.send(get("/"));
    fixture.loop.run_until([&] { return Live::count > 0; });
    peer.send(more);
    for (int i = 0; i < 3; ++i) fixture.loop.run_turn();
    peer.reset();
    fixture.loop.run_until([&] { return Live::count == 0; });
    fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
    CHECK(fixture.delegate.gone == 1);
    CHECK_FALSE(slow.done);
  }
}

TEST_CASE("a shielded handler runs to its end", "[http_server]") {
  Slow slow;
  slow.shielded = true;
  HTTPFixture fixture(slow.function());
  RawPeer peer = fixture.connect();
  peer.send(get("/"));
  fixture.loop.run_until([&] { return Live::count > 0; });
  peer.close();
  for (int i = 0; i < 10; ++i) fixture.loop.run_turn();
  CHECK(Live::count > 0);
  slow.go = true;
  fixture.loop.run_until([&] { return slow.done && fixture.server.connections() == 0; });
  CHECK(fixture.delegate.gone == 0);
}

TEST_CASE("work behind finish() runs to its end, whether the client stays or not", "[http_server]") {
  for (const bool reset : {false, true}) {
    Slow slow;
    slow.finishes_first = true;
    HTTPFixture fixture(slow.function(), reset ? HTTPFixture::Options() : half_closed_is_gone());
    RawPeer peer = fixture.connect();
    peer.send(get("/"));
    std::string got;
    fixture.loop.run_until([&] {
      peer.drain(got);
      return got.ends_with("slow");
    });
    if (reset) {
      peer.reset();
    } else {
      peer.close();
    }
    for (int i = 0; i < 10; ++i) fixture.loop.run_turn();
    CHECK(Live::count == 1);
    slow.go = true;
    fixture.loop.run_until([&] { return slow.done && fixture.server.connections() == 0; });
    CHECK(fixture.delegate.gone == 0);
  }
}

TEST_CASE("a client that half-closes behind a request is answered, and the connection closes (RFC 9112, 9.6)",
          "[http_server]") {
  for (const bool comes_late : {false, true}) {
    CAPTURE(comes_late);
    Slow slow;
    HTTPFixture fixture(slow.function());
    RawPeer peer = fixture.connect();
    peer.send(get("/"));
    if (comes_late) fixture.loop.run_until([&] { return Live::count > 0; });
    peer.half_close();
    for (int i = 0; i < 10; ++i) fixture.loop.run_turn();
    CHECK(Live::count > 0);
    slow.go = true;
    CHECK(without_date(fixture.read_to_end(peer)) == answer_to("slow", "Connection: close\r\n"));
    fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
    CHECK(fixture.delegate.gone == 0);
  }
}

TEST_CASE("of pipelined requests the last waiting handler still answers a client that has half-closed",
          "[http_server]") {
  Slow slow;
  HTTPFixture fixture(slow.function());
  RawPeer peer = fixture.connect();
  peer.send(get("/1") + get("/2") + get("/3"));
  peer.half_close();
  for (int i = 0; i < 10; ++i) fixture.loop.run_turn();
  slow.go = true;
  const std::string all = without_date(fixture.read_to_end(peer));
  CHECK(all.starts_with(answer_to("slow") + answer_to("slow")));
  CHECK(fixture.delegate.requests == 3);
  CHECK(all.ends_with("\r\n\r\nslow"));
}

// A delegate whose handlers stream: a piece at once, and the others when `go` is set.
struct Streaming {
  testing::FunctionDelegate::Function function() {
    return [this](Exchange& exchange, Task<>& pending) { pending = send(exchange, *this, Live()); };
  }
  static Task<> send(Exchange& exchange, Streaming& streaming, Live) {
    exchange.write("one ");
    for (int i = 0; i < 3; ++i) {
      while (!streaming.go) co_await moment();
      exchange.write("more ");
      co_await exchange.flush();
      co_await moment();
    }
    exchange.finish("end");
  }
  bool go = false;
};

TEST_CASE("a client that half-closes gets all of a response that is streamed, in both modes as they say",
          "[http_server]") {
  for (const bool is_gone : {false, true}) {
    CAPTURE(is_gone);
    Streaming streaming;
    HTTPFixture fixture(streaming.function(), is_gone ? half_closed_is_gone() : HTTPFixture::Options());
    RawPeer peer = fixture.connect();
    peer.send(get("/"));
    fixture.loop.run_until([&] { return Live::count > 0; });
    peer.half_close();
    for (int i = 0; i < 10; ++i) fixture.loop.run_turn();
    CHECK((Live::count == 0) == is_gone);
    streaming.go = true;
    const std::string all = fixture.read_to_end(peer);
    CHECK(all.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(all.ends_with("0\r\n\r\n") == !is_gone);
    const bool is_whole = all.find("5\r\nmore \r\n3\r\nend\r\n0\r\n\r\n") != std::string::npos;
    CHECK(is_whole == !is_gone);
    fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
    CHECK(fixture.delegate.gone == int{is_gone});
  }
}

TEST_CASE("a half-closed client that then resets the connection cancels the handler", "[http_server]") {
  Slow slow;
  HTTPFixture fixture(slow.function());
  if (!testing::hears_hangups(fixture.loop)) return;
  RawPeer peer = fixture.connect();
  peer.send(get("/"));
  fixture.loop.run_until([&] { return Live::count > 0; });
  peer.half_close();
  for (int i = 0; i < 10; ++i) fixture.loop.run_turn();
  CHECK(Live::count > 0);
  peer.reset();
  fixture.loop.run_until([&] { return Live::count == 0 && fixture.server.connections() == 0; });
  CHECK(fixture.delegate.gone == 1);
  CHECK_FALSE(slow.done);
}

// The sockets of this process whose peers the system asks whether they are there.
int sockets_with_keepalive() {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size) == 0 && value != 0) ++count;
  }
  return count;
}

TEST_CASE("a half-closed client is asked by the system whether it is there", "[http_server]") {
  Slow slow;
  HTTPFixture fixture(slow.function());
  RawPeer peer = fixture.connect();
  peer.send(get("/"));
  fixture.loop.run_until([&] { return Live::count > 0; });
  CHECK(sockets_with_keepalive() == 0);
  peer.half_close();
  fixture.loop.run_until([&] { return sockets_with_keepalive() == 1; });
  CHECK(Live::count > 0);
}

TEST_CASE("a client that has closed is noticed when a streaming handler writes to it", "[http_server]") {
  Streaming streaming;
  HTTPFixture fixture([&](Exchange& exchange, Task<>& pending) {
    pending = [](Exchange& exchange, Streaming& streaming, Live) -> Task<> {
      while (!streaming.go) co_await moment();
      exchange.write("a piece");  // the client's system answers it with a reset
      co_await exchange.flush();
      co_await sleep(24h);
    }(exchange, streaming, Live());
  });
  if (!testing::hears_hangups(fixture.loop)) return;
  RawPeer peer = fixture.connect();
  peer.send(get("/"));
  fixture.loop.run_until([&] { return Live::count > 0; });
  peer.close();
  for (int i = 0; i < 10; ++i) fixture.loop.run_turn();
  CHECK(Live::count > 0);
  streaming.go = true;
  fixture.loop.run_until([&] { return Live::count == 0 && fixture.server.connections() == 0; });
  CHECK(fixture.delegate.gone == 1);
}

class StreamedDelegate : public ServerDelegate {
 public:
  Body head_received(Exchange&) override { return Body::streamed; }
  void handle_request(Exchange&, Task<>& pending) override {
    pending = [](Live) -> Task<> { co_await sleep(24h); }(Live());
  }
  void client_gone(Exchange&) noexcept override { ++gone; }
  int gone = 0;
};

TEST_CASE("the end of the client's bytes within a request cancels the handler that waits", "[http_server]") {
  testing::TestLoop loop;
  StreamedDelegate delegate;
  HTTPServer server(delegate, loop);
  ListenOptions listen;
  listen.address = "127.0.0.1";
  server.listen(0, listen);
  RawPeer peer(server.port());
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n");
  loop.run_until([&] { return Live::count > 0; });
  peer.half_close();
  loop.run_until([&] { return Live::count == 0 && server.connections() == 0; });
  CHECK(delegate.gone == 1);
}

TEST_CASE("a client that ends its bytes and reads late gets all of its answer", "[http_server]") {
  HTTPFixture fixture(
      [&](Exchange& exchange, Task<>& pending) {
        const std::string_view path = exchange.request().path();
        if (path != "/wait")
          return exchange.finish(std::string(std::stoul(std::string(path.substr(1))), 'x'));
        pending = [](Live) -> Task<> { co_await sleep(24h); }(Live());
      },
      half_closed_is_gone());
  // At one of these sizes the kernel takes almost all of the response, so that the server reads on and sees
  // the end. Every second round also has a pipelined request, whose waiting handler is cancelled by the
  // end.
  for (std::size_t size = 100'000; size < 7'000'000; size += 60'000) {
    const bool cancels = size / 60'000 % 2;
    CAPTURE(size, cancels);
    RawPeer peer = fixture.connect();
    peer.send(get(fmt::format("/{}", size)) + (cancels ? get("/wait") : ""));
    peer.half_close();
    for (int i = 0; i < 8; ++i) fixture.loop.run_turn();
    const std::string all = fixture.read_to_end(peer);
    REQUIRE(all.size() - all.find("\r\n\r\n") - 4 == size);
    REQUIRE(Live::count == 0);
  }
}

TEST_CASE("the answer to a half-closed client is sent although another connection ends in that turn",
          "[http_server]") {
  Slow slow;
  HTTPFixture fixture(slow.function());
  // This connection ends first, so the ended connections are destroyed before the other's answer is sent.
  RawPeer first = fixture.connect();
  first.send(get("/", "Connection: close\r\n"));
  fixture.loop.run_until([&] { return Live::count > 0; });
  const int waiting = Live::count;
  RawPeer peer = fixture.connect();
  peer.send(get("/"));
  peer.half_close();
  fixture.loop.run_until([&] { return Live::count > waiting; });
  for (int i = 0; i < 10; ++i) fixture.loop.run_turn();
  slow.go = true;
  CHECK(without_date(fixture.read_to_end(peer)) == answer_to("slow", "Connection: close\r\n"));
  CHECK(without_date(fixture.read_to_end(first)) == answer_to("slow", "Connection: close\r\n"));
}

TEST_CASE("destroying the server destroys the handlers that wait, and closes idle connections",
          "[http_server]") {
  Slow slow;
  auto fixture = std::make_unique<HTTPFixture>(slow.function());
  RawPeer busy = fixture->connect();
  RawPeer idle = fixture->connect();
  busy.send(get("/"));
  fixture->loop.run_until([&] { return Live::count > 0 && fixture->server.connections() == 2; });
  fixture.reset();
  CHECK(Live::count == 0);
  std::string all;
  CHECK(busy.drain(all));
  CHECK(idle.drain(all));
  CHECK(all.empty());
}

TEST_CASE("close_all_connections closes busy and idle connections, and may be called by a handler",
          "[http_server]") {
  HTTPServer* server = nullptr;
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    server->close_all_connections();
    exchange.finish();
  });
  server = &fixture.server;
  RawPeer idle = fixture.connect();
  RawPeer used = fixture.connect();
  fixture.loop.run_until([&] { return fixture.server.connections() == 2; });
  used.send(get("/"));
  std::string all;
  fixture.loop.run_until([&] { return used.drain(all) && idle.drain(all); });
  CHECK(fixture.server.connections() == 0);
  RawPeer next = fixture.connect();
  next.send(get("/"));
  fixture.read_to_end(next);
}

TEST_CASE("close_all_connections can be awaited until every connection has ended (HSV-15)", "[http_server]") {
  const auto answer = [](Exchange& exchange, Task<>& pending) {
    if (exchange.request().path() == "/") return exchange.finish();
    pending = [](Exchange& waiting) -> Task<> {
      const Live live;
      co_await sleep(1h);
      waiting.finish();
    }(exchange);
  };
  HTTPFixture fixture(answer);
  RawPeer silent = fixture.connect();
  RawPeer idle = fixture.connect();
  RawPeer busy = fixture.connect();
  idle.send(get("/"));
  busy.send(get("/wait"));
  fixture.loop.run_until([&] { return Live::count == 1 && fixture.server.connections() == 3; });
  fixture.loop.run([](HTTPServer& server) -> Task<> {
    co_await server.close_all_connections();
    CHECK(server.connections() == 0);
    CHECK(Live::count == 0);
  }(fixture.server));
  std::string all;
  fixture.loop.run_until([&] { return silent.drain(all) && idle.drain(all) && busy.drain(all); });
}

TEST_CASE(
    "an exception of a delegate, or a request without an answer, is logged and closes that connection only",
    "[http_server]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>& pending) {
    const std::string_view path = exchange.request().path();
    if (path == "/throw") throw std::runtime_error("thrown");
    if (path == "/int") throw 42;
    if (path == "/stream") throw StreamClosedError();
    if (path == "/silent") return;
    if (path == "/late") {
      pending = []() -> Task<> {
        co_await moment();
        throw std::runtime_error("thrown late");
      }();
      return;
    }
    exchange.finish("fine");
  });
  RawPeer bystander = fixture.connect();
  for (const auto& [path, message] :
       {std::pair("/throw", "thrown"), std::pair("/int", "not a std::exception"),
        std::pair("/stream", "Stream is closed"), std::pair("/silent", "the request was not answered"),
        std::pair("/late", "thrown late")}) {
    RawPeer peer = fixture.connect();
    const std::string name = Address::local_of(peer.fd()).to_string();
    peer.send(get(path));
    CHECK(fixture.read_to_end(peer).empty());
    CHECK(fixture.loop.log.expect("Uncaught exception answering " + name + ": " + message).level ==
          log::Level::error);
    bystander.send(get("/"));
    CHECK(fixture.read_responses(bystander, 1).ends_with("fine"));
  }
}

TEST_CASE("the server waits for a client that reads its answers slowly", "[http_server]") {
  const std::string body(200'000, 'x');
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) { exchange.finish(body); });
  RawPeer peer = fixture.connect();
  std::string requests;
  for (int i = 0; i < 300; ++i) requests += get("/");
  peer.send(requests);
  for (int i = 0; i < 50; ++i) fixture.loop.run_turn();
  // Some megabytes fill the socket's buffers. Then the server waits.
  const int before = fixture.delegate.requests;
  CHECK(before < 200);
  for (int i = 0; i < 50; ++i) fixture.loop.run_turn();
  CHECK(fixture.delegate.requests == before);
  std::size_t total = 0;
  fixture.loop.run_until([&] {
    total += peer.received().size();
    return fixture.delegate.requests == 300 && total > 300 * body.size();
  });
}

TEST_CASE("many pipelined requests do not keep another client waiting (H1C-18)", "[http_server]") {
  HTTPFixture fixture;
  RawPeer busy = fixture.connect();
  RawPeer other = fixture.connect();
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += get("/");
  busy.send(requests);
  other.send(get("/other"));
  fixture.read_responses(other, 1);
  CHECK(fixture.delegate.requests < 1000);
  fixture.read_responses(busy, 1000);
}

// ---- Timeouts.

HTTPFixture::Options patient() {
  HTTPFixture::Options options;
  options.head_timeout = options.body_timeout = options.idle_timeout = options.write_timeout = 1h;
  return options;
}

TEST_CASE("a head that takes too long is answered 408, even if bytes arrive steadily (SEC-13, SEC-14)",
          "[http_server]") {
  HTTPFixture::Options options = patient();
  options.head_timeout = 60ms;
  HTTPFixture fixture(describe, options);
  RawPeer peer = fixture.connect();
  peer.send("GET / HTTP/1.1\r\n");
  std::string all;
  fixture.loop.run_until([&] {
    peer.send_some("X");
    return peer.drain(all) || !all.empty();
  });
  CHECK(all.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  CHECK(all.find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(all.ends_with("408 Request Timeout: Timeout reading the request's head\n"));
}

TEST_CASE("a body that takes too long is answered 408", "[http_server]") {
  HTTPFixture::Options options = patient();
  options.body_timeout = 40ms;
  HTTPFixture fixture(describe, options);
  RawPeer peer = fixture.connect();
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\npart");
  const std::string answer = fixture.read_responses(peer, 1);
  CHECK(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  CHECK(answer.ends_with("408 Request Timeout: Timeout reading the request's body\n"));
  peer.half_close();
  CHECK(fixture.read_to_end(peer).empty());
}

TEST_CASE("an idle connection is closed without a response, new or used", "[http_server]") {
  HTTPFixture::Options options = patient();
  options.idle_timeout = 40ms;
  HTTPFixture fixture(describe, options);
  RawPeer fresh = fixture.connect();
  RawPeer used = fixture.connect();
  used.send(get("/"));
  CHECK(fixture.read_to_end(fresh).empty());
  CHECK(fixture.read_to_end(used).ends_with("GET / 0\n"));
  fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
}

TEST_CASE("the connection of a client that does not read its response is closed", "[http_server]") {
  HTTPFixture::Options options = patient();
  options.write_timeout = 40ms;
  const std::string body(20'000'000, 'x');
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) { exchange.finish(body); }, options);
  RawPeer peer = fixture.connect();
  peer.send(get("/"));
  fixture.loop.run_until([&] { return fixture.delegate.requests == 1; });
  fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
  CHECK(fixture.read_to_end(peer).size() < body.size());
}

// Reads to the end, at some 50 MB/s.
std::string read_slowly(HTTPFixture& fixture, RawPeer& peer) {
  std::string all;
  std::string piece(256 * 1024, '\0');
  auto next = std::chrono::steady_clock::now();
  fixture.loop.run_until([&] {
    if (std::chrono::steady_clock::now() < next) return false;
    next += 5ms;
    const auto count = ::recv(peer.fd(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (count > 0) all.append(piece, 0, static_cast<std::size_t>(count));
    return count == 0 || (count < 0 && errno != EAGAIN);
  });
  return all;
}

TEST_CASE("a client that takes its response slowly is not idle", "[http_server]") {
  HTTPFixture::Options options = patient();
  options.idle_timeout = 40ms;
  const std::string body(20'000'000, 'x');
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) { exchange.finish(body); }, options);
  RawPeer peer = fixture.connect();
  peer.send(get("/"));
  const std::string all = read_slowly(fixture, peer);
  CHECK(all.size() - all.find("\r\n\r\n") - 4 == body.size());
  CHECK(fixture.server.connections() == 0);
}

TEST_CASE("a slow reader that has sent more than its last request still gets all of the response",
          "[http_server]") {
  HTTPFixture::Options options = patient();
  options.linger_timeout = options.idle_timeout = 40ms;
  const std::string body(20'000'000, 'x');
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) { exchange.finish(body); }, options);
  for (const bool half_closes : {false, true}) {
    CAPTURE(half_closes);
    RawPeer peer = fixture.connect();
    peer.send("GET / HTTP/1.0\r\n\r\n\r\n");
    if (half_closes) peer.half_close();
    const std::string all = read_slowly(fixture, peer);
    CHECK(all.size() - all.find("\r\n\r\n") - 4 == body.size());
    fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
  }
}

TEST_CASE("a client that keeps sending after its last request gets all of the response before it is cut off",
          "[http_server]") {
  const std::string body(20'000'000, 'x');
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) { exchange.finish(body); }, patient());
  RawPeer peer = fixture.connect();
  peer.send("GET / HTTP/1.0\r\n\r\n\r\n");
  fixture.loop.run_until([&] { return fixture.delegate.requests == 1; });
  // One byte more than the server drops: no unread byte is left that would reset the connection.
  const std::string flood(64 * 1024 * 1024 + 1, '\n');
  std::string_view rest = flood;
  fixture.loop.run_until([&] {
    rest.remove_prefix(peer.send_some(rest));
    return rest.empty();
  });
  for (int i = 0; i < 20; ++i) fixture.loop.run_turn();
  const std::string all = fixture.read_to_end(peer);
  CHECK(all.size() - all.find("\r\n\r\n") - 4 == body.size());
}

TEST_CASE("a client that first sends all of a too large body can still read the 413", "[http_server]") {
  HTTPFixture::Options options = patient();
  options.max_body_size = 1000;
  HTTPFixture fixture(describe, options);
  RawPeer peer = fixture.connect();
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 30000000\r\n\r\n");
  const std::string body(30'000'000, 'x');
  std::string_view rest = body;
  fixture.loop.run_until([&] {
    rest.remove_prefix(peer.send_some(rest));
    return rest.empty();
  });
  peer.half_close();
  CHECK(fixture.read_to_end(peer).starts_with("HTTP/1.1 413 "));
  fixture.loop.log.expect_any("Body too large");
}

TEST_CASE("a request's start time is that of its first byte, not of empty lines before it", "[http_server]") {
  IOLoop::TimePoint start;
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    start = exchange.request().start_time();
    exchange.finish();
  });
  for (const std::string_view before : {"", "\r\n", "\r\n\r\n", "\r", "\r\n\r"}) {
    CAPTURE(before);
    RawPeer peer = fixture.connect();
    peer.send(before);
    for (int i = 0; i < 5; ++i) fixture.loop.run_turn();
    const IOLoop::TimePoint now = IOLoop::Clock::now();
    peer.send((before.ends_with('\r') ? "\n" : "") + get("/", "Connection: close\r\n"));
    fixture.read_to_end(peer);
    CHECK(start >= now);
  }
}

TEST_CASE("the head timeout applies to an empty line without its end", "[http_server]") {
  HTTPFixture::Options options = patient();
  options.head_timeout = 40ms;
  HTTPFixture fixture(describe, options);
  CHECK(fixture.talk("\r").starts_with("HTTP/1.1 408 "));
}

TEST_CASE(
    "Date is the time at which the response begins, unless the application has set one (RFC 9110, 6.6.1)",
    "[http_server]") {
  using std::chrono::system_clock;
  system_clock::time_point answered;
  HTTPFixture fixture([&](Exchange& exchange, Task<>& pending) {
    const std::string_view path = exchange.request().path();
    if (path != "/plain") exchange.headers().set("X-One", "1");
    if (path == "/own") exchange.headers().set("Date", "Tue, 14 Nov 2023 22:13:20 GMT");
    pending = [](Exchange& exchange, system_clock::time_point& answered) -> Task<> {
      co_await sleep(1100ms);
      answered = system_clock::now();
      exchange.finish();
    }(exchange, answered);
  });
  std::vector<RawPeer> peers;
  for (const char* path : {"/plain", "/headers", "/own"}) {
    peers.push_back(fixture.connect());
    peers.back().send(get(path, "Connection: close\r\n"));
  }
  const auto date_of = [&](RawPeer& peer) {
    const std::string all = fixture.read_to_end(peer);
    const std::size_t at = all.find("\r\nDate: ") + 8;
    return parse_date(all.substr(at, 29)).value();
  };
  for (int i = 0; i < 2; ++i) CHECK(date_of(peers[static_cast<std::size_t>(i)]) + 1s > answered - 50ms);
  CHECK(date_of(peers[2]) == parse_date("Tue, 14 Nov 2023 22:13:20 GMT"));
}

TEST_CASE("fields beyond max_header_count are answered 431, of any number without it", "[http_server]") {
  const auto request = [](int count) {
    std::string fields = "Connection: close\r\n";
    for (int i = 0; i < count - 2; ++i) fields += "a:\r\n";
    return get("/", fields);
  };
  HTTPFixture fixture;
  CHECK(fixture.talk(request(1000)).starts_with("HTTP/1.1 200 "));
  CHECK(fixture.talk(request(1001))
            .ends_with("431 Request Header Fields Too Large: Too many request header "
                       "fields\n"));
  CHECK(fixture.talk_slowly(request(1001)).starts_with("HTTP/1.1 431 "));
  HTTPFixture::Options options;
  options.max_header_count = std::nullopt;
  HTTPFixture any(describe, options);
  CHECK(any.talk(request(10'000)).starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a large head's memory is freed, and the next request is read correctly", "[http_server]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>&) {
    exchange.headers().set("X-Echo", exchange.request().headers().get("X-Large"));
    exchange.finish(exchange.request().target());
  });
  RawPeer peer = fixture.connect();
  const std::string large = get("/large", "X-Large: " + std::string(10'000, 'x') + "\r\n");
  for (const std::string& bytes : {large, large, get("/one"), get("/one"), large + large + get("/two")}) {
    peer.send(bytes);
    const int count = bytes.size() > large.size() ? 3 : 1;
    const std::string all = fixture.read_responses(peer, count);
    CHECK(all.ends_with(bytes == large ? "/large" : count == 3 ? "/two" : "/one"));
  }
}

TEST_CASE("a handler that streams to a client that does not read is ended by the write timeout",
          "[http_server]") {
  HTTPFixture::Options options = patient();
  options.write_timeout = 40ms;
  HTTPFixture fixture(
      [&](Exchange& exchange, Task<>& pending) {
        pending = [](Exchange& exchange, Live) -> Task<> {
          const std::string piece(100'000, 'x');
          for (;;) {
            exchange.write(piece);
            co_await exchange.flush();
          }
        }(exchange, Live());
      },
      options);
  RawPeer peer = fixture.connect();
  peer.send(get("/"));
  fixture.loop.run_until([&] { return Live::count > 0; });
  fixture.loop.run_until([&] { return Live::count == 0 && fixture.server.connections() == 0; });
}

TEST_CASE("a refusal beyond the write limit closes the connection, and other deadlines still fire",
          "[http_server]") {
  HTTPFixture::Options options = patient();
  options.head_timeout = 40ms;
  options.stream.max_write_buffer_size = 100;
  HTTPFixture fixture(describe, options);
  RawPeer one = fixture.connect();
  RawPeer other = fixture.connect();
  one.send("GET / HT");
  other.send("GET / HT");
  fixture.loop.run_until([&] { return fixture.server.connections() == 2; });
  CHECK(fixture.read_to_end(one).empty());
  CHECK(fixture.read_to_end(other).empty());
  fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
  // Also for a refusal that no timeout caused.
  CHECK(fixture.talk("nonsense\r\n\r\n").empty());
}

TEST_CASE("timeouts must be positive", "[http_server]") {
  testing::TestLoop loop;
  testing::FunctionDelegate delegate(describe);
  HTTPServer::Options options;
  options.head_timeout = 0s;
  CHECK_THROWS_AS(HTTPServer(delegate, options, loop), std::invalid_argument);
}

TEST_CASE("a limit that is zero is refused, as no limit is std::nullopt", "[http_server]") {
  testing::TestLoop loop;
  testing::FunctionDelegate delegate(describe);
  CHECK_THROWS_AS(HTTPServer(delegate, {.max_header_count = 0}, loop), std::invalid_argument);
  CHECK_THROWS_AS(HTTPServer(delegate, {.max_decompression_ratio = 0}, loop), std::invalid_argument);
}

// ---- Idle connections.

TEST_CASE("parked connections are served like the others", "[http_server]") {
  HTTPFixture fixture;
  std::vector<RawPeer> peers;
  constexpr std::size_t kCount = HTTPServer::kKeptConnections + 300;
  for (std::size_t i = 0; i < kCount; ++i) {
    peers.push_back(fixture.connect());
    if (i % 100 == 0) fixture.loop.run_turn();
  }
  for (int round = 0; round < 3; ++round) {
    for (RawPeer& peer : peers) peer.send(get("/" + std::to_string(round)));
    for (RawPeer& peer : peers) {
      std::string all;
      fixture.loop.run_until([&] { return peer.drain(all) || all.ends_with(" 0\n"); });
      REQUIRE(without_date(all) == answer_to(fmt::format("GET /{} 0\n", round)));
    }
    CHECK(fixture.server.connections() == kCount);
  }
  // In pieces, so that a parked connection is resumed for half a request.
  peers.back().send("GET /half HT");
  for (int i = 0; i < 3; ++i) fixture.loop.run_turn();
  peers.back().send("TP/1.1\r\nHost: h\r\n\r\n");
  CHECK(without_date(fixture.read_responses(peers.back(), 1)) == answer_to("GET /half 0\n"));
  peers.clear();
  fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
}

}  // namespace
}  // namespace squall::http::http_server_test
