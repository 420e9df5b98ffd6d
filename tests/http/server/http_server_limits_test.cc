// TCPServer's limits, draining and proxies in HTTPServer, where a parked connection has no task.

#include <squall/http/server/http_server.h>
#include <squall/testing/virtual_clock.h>

#include <fmt/format.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "support/echo_server.h"
#include "support/http_fixture.h"

namespace squall::http::http_server_limits_test {
namespace {

using namespace std::chrono_literals;
using testing::connect_from;
using testing::describe;
using testing::gets_closed;
using testing::HTTPFixture;
using testing::is_closed;
using testing::Live;
using testing::RawPeer;

std::string get(std::string_view path, std::string_view headers = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n{}\r\n", path, headers);
}

// A handler that waits for `go` if the path is /slow.
struct Slow {
  bool go = false;
  testing::FunctionDelegate::Function function() {
    return [this](Exchange& exchange, Task<>& pending) {
      if (exchange.request().path() != "/slow") return describe(exchange, pending);
      pending = [](Slow& slow, Exchange& exchange, Live) -> Task<> {
        while (!slow.go) co_await sleep(1ms);
        exchange.finish("slow");
      }(*this, exchange, Live());
    };
  }
};

struct Drain {
  std::optional<std::size_t> cut;
  static Task<> run(HTTPServer& server, IOLoop::Duration limit, Drain& drain) {
    const std::size_t cut = co_await server.drain(limit);
    drain.cut = cut;
  }
};

TEST_CASE("draining closes connections that wait for a request, parked or not", "[http_server]") {
  HTTPFixture fixture;
  RawPeer silent = fixture.connect();
  RawPeer used = fixture.connect();
  used.send(get("/"));
  fixture.read_responses(used, 1);
  RawPeer stray = fixture.connect();
  stray.send("\r\n");  // an empty line, which begins no request
  fixture.loop.run_until([&] { return fixture.server.connections() == 3; });
  for (int turn = 0; turn < 5; ++turn) fixture.loop.run_turn();
  Drain drain;
  fixture.loop.run(Drain::run(fixture.server, 1h, drain));
  CHECK(drain.cut == 0U);
  CHECK(gets_closed(silent));
  CHECK(gets_closed(used));
  CHECK(gets_closed(stray));
}

TEST_CASE("draining lets a request end, answers with Connection: close, and closes", "[http_server]") {
  Slow slow;
  HTTPFixture fixture(slow.function());
  RawPeer busy = fixture.connect();
  busy.send(get("/slow"));
  RawPeer half = fixture.connect();
  half.send("GET /half HTTP/1.1\r\nHo");
  fixture.loop.run_until([&] { return Live::count > 0 && fixture.server.connections() == 2; });
  for (int turn = 0; turn < 5; ++turn) fixture.loop.run_turn();
  Drain drain;
  fixture.loop.spawn(Drain::run(fixture.server, 1h, drain));
  fixture.loop.run_until([&] { return fixture.server.draining(); });
  half.send("st: h\r\n\r\n");
  const std::string answer = fixture.read_to_end(half);
  CHECK(answer.find("\r\nConnection: close\r\n") != answer.npos);
  CHECK(answer.ends_with("GET /half 0\n"));
  CHECK_FALSE(drain.cut);
  slow.go = true;
  const std::string other = fixture.read_to_end(busy);
  CHECK(other.find("\r\nConnection: close\r\n") != other.npos);
  CHECK(other.ends_with("slow"));
  fixture.loop.run_until([&] { return drain.cut.has_value(); });
  CHECK(drain.cut == 0U);
}

TEST_CASE("draining waits until a client has read its response to the end", "[http_server]") {
  const std::string body(8'000'000, 'x');
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) { exchange.finish(body); });
  RawPeer peer = fixture.connect();
  peer.send(get("/"));
  fixture.loop.run_until([&] { return fixture.delegate.requests == 1; });
  for (int turn = 0; turn < 5; ++turn) fixture.loop.run_turn();
  Drain drain;
  fixture.loop.spawn(Drain::run(fixture.server, 1h, drain));
  fixture.loop.run_until([&] { return fixture.server.draining(); });
  const std::string answer = fixture.read_to_end(peer);
  CHECK(answer.ends_with(body));
  peer.close();
  fixture.loop.run_until([&] { return drain.cut.has_value(); });
  CHECK(drain.cut == 0U);
}

TEST_CASE("draining cuts off a request that takes longer than the limit", "[http_server]") {
  Slow slow;
  HTTPFixture fixture(slow.function());
  RawPeer busy = fixture.connect();
  busy.send(get("/slow"));
  fixture.loop.run_until([&] { return Live::count > 0; });
  Drain drain;
  fixture.loop.run(Drain::run(fixture.server, 5ms, drain));
  CHECK(drain.cut == 1U);
  CHECK(Live::count == 0);
  CHECK(gets_closed(busy));
}

TEST_CASE("a handler may drain its own server and is not cut off before the limit", "[http_server]") {
  HTTPServer* server = nullptr;
  Drain drain;
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    IOLoop::current().spawn(Drain::run(*server, 1h, drain));
    exchange.finish("bye");
  });
  server = &fixture.server;
  RawPeer peer = fixture.connect();
  peer.send(get("/"));
  const std::string answer = fixture.read_to_end(peer);
  CHECK(answer.ends_with("bye"));
  fixture.loop.run_until([&] { return drain.cut.has_value(); });
  CHECK(drain.cut == 0U);
}

TEST_CASE("a handler that awaits drain() of its own server fails, and the server continues",
          "[http_server]") {
  HTTPServer* server = nullptr;
  HTTPFixture fixture([&](Exchange& exchange, Task<>& pending) {
    if (exchange.request().path() == "/") return exchange.finish("here");
    pending = [](HTTPServer& draining) -> Task<> { co_await draining.drain(1h); }(*server);
  });
  server = &fixture.server;
  RawPeer peer = fixture.connect();
  peer.send(get("/drain"));
  CHECK(fixture.read_to_end(peer).empty());
  RawPeer other = fixture.connect();
  other.send(get("/"));
  CHECK(fixture.read_responses(other, 1).ends_with("here"));
  fixture.loop.log.expect("a connection awaits drain() of its own server");
}

TEST_CASE("a connection is counted once, parked or not", "[http_server]") {
  constexpr std::size_t kCount = HTTPServer::kKeptConnections + 20;
  HTTPFixture::Options options;
  options.max_connections = kCount;
  options.max_connections_per_address = kCount - 1;
  std::size_t seen = 0;
  HTTPServer* server = nullptr;
  HTTPFixture fixture(
      [&](Exchange& exchange, Task<>&) {
        seen = server->connections();
        exchange.finish();
      },
      options);
  server = &fixture.server;
  std::vector<RawPeer> peers;
  for (std::size_t i = 0; i < kCount - 1; ++i) {
    peers.push_back(fixture.connect());
    if (i % 100 == 0) fixture.loop.run_turn();
  }
  fixture.loop.run_until([&] { return fixture.server.connections() == kCount - 1; });
  // There are more than kKeptConnections, so each connection is parked and resumed in turn.
  for (int round = 0; round < 2; ++round) {
    for (RawPeer& peer : peers) peer.send(get("/"));
    for (RawPeer& peer : peers) fixture.read_responses(peer, 1);
    CHECK(seen == kCount - 1);
    CHECK(fixture.server.connections() == kCount - 1);
  }
  RawPeer too_many = fixture.connect();
  fixture.loop.run_until([&] { return is_closed(too_many); });
  fixture.loop.log.expect("refused: its address has ");
  RawPeer other = connect_from("127.0.0.2", fixture.server.port());
  other.send(get("/"));
  fixture.read_responses(other, 1);
  CHECK(seen == kCount);
  // The server is full until a connection ends, parked or not.
  RawPeer waiting = connect_from("127.0.0.3", fixture.server.port());
  waiting.send(get("/"));
  for (int turn = 0; turn < 5; ++turn) fixture.loop.run_turn();
  CHECK(fixture.server.connections() == kCount);
  peers.front().close();
  fixture.read_responses(waiting, 1);
  fixture.loop.log.expect_any("Cannot accept connections, waiting");
  peers.clear();
  other.close();
  waiting.close();
  fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
  RawPeer again = fixture.connect();
  again.send(get("/"));
  fixture.read_responses(again, 1);
  CHECK(seen == 1);
}

TEST_CASE("the idle timeout of a connection parked later counts from its last request", "[http_server]") {
  constexpr std::size_t kOld = HTTPServer::kKeptConnections;
  constexpr std::size_t kBusy = 20;
  testing::VirtualClock clock(testing::VirtualClock::Idle::wait);
  IOLoop::Options loop_options;
  loop_options.time_source = &clock;
  testing::TestLoop loop(loop_options);
  Slow slow;
  testing::FunctionDelegate delegate(slow.function());
  HTTPServer::Options options;
  options.idle_timeout = 100s;
  HTTPServer server(delegate, options, loop);
  ListenOptions listen;
  listen.address = "127.0.0.1";
  server.listen(0, listen);
  const auto pass = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) {
      clock.advance(1s);
      for (int turn = 0; turn < 3; ++turn) loop.run_turn();
    }
  };
  std::vector<RawPeer> peers;
  const auto open = [&](std::size_t count, std::string_view path) {
    const auto before = static_cast<std::size_t>(delegate.requests);
    for (std::size_t i = 0; i < count; ++i) {
      peers.emplace_back(server.port());
      peers.back().send(get(path));
      if (i % 100 == 0) loop.run_turn();
    }
    loop.run_until([&] { return static_cast<std::size_t>(delegate.requests) == before + count; });
  };
  open(kBusy, "/slow");
  open(kOld, "/");  // with the busy ones more than kKeptConnections: some are parked
  pass(99);
  CHECK(server.connections() == kOld + kBusy);
  pass(6);
  CHECK(server.connections() == kBusy);
}

TEST_CASE("an idle connection that times out makes room for another", "[http_server]") {
  HTTPFixture::Options options;
  options.max_connections = 1;
  options.idle_timeout = 20ms;
  HTTPFixture fixture(describe, options);
  RawPeer silent = fixture.connect();
  RawPeer waiting = fixture.connect();
  waiting.send(get("/", "Connection: close\r\n"));
  CHECK(fixture.read_to_end(waiting).ends_with("GET / 0\n"));
  CHECK(gets_closed(silent));
  fixture.loop.log.expect_any("Cannot accept connections, waiting");
}

TEST_CASE("the address that a trusted PROXY header names is the remote address of all requests",
          "[http_server]") {
  HTTPFixture::Options options;
  options.proxy_protocol.trusted = {Network("127.0.0.1")};
  HTTPFixture fixture(
      [](Exchange& exchange, Task<>&) {
        exchange.finish(exchange.request().remote_address().to_string() + "\n");
      },
      options);
  RawPeer peer = fixture.connect();
  peer.send("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n" + get("/"));
  CHECK(fixture.read_responses(peer, 1).ends_with("\r\n192.0.2.1:56324\n"));
  peer.send(get("/"));
  CHECK(fixture.read_responses(peer, 1).ends_with("\r\n192.0.2.1:56324\n"));
  RawPeer silent = fixture.connect();
  silent.send("PROXY TCP4 192.0.2.2 198.51.100.7 56324 443\r\n");
  fixture.loop.run_until([&] { return fixture.server.connections() == 2; });
  for (int turn = 0; turn < 5; ++turn) fixture.loop.run_turn();
  silent.send(get("/"));
  CHECK(fixture.read_responses(silent, 1).ends_with("\r\n192.0.2.2:56324\n"));
  CHECK(fixture.server.connections() == 2);
  RawPeer direct = fixture.connect();
  const std::string name = Address::local_of(direct.fd()).to_string();
  direct.send(get("/"));
  CHECK(fixture.read_to_end(direct).empty());
  fixture.loop.log.expect("Connection from proxy " + name + " refused: no PROXY header");
}

TEST_CASE("over a Unix socket the remote address is 0.0.0.0 (HSV-20)", "[http_server]") {
  HTTPFixture fixture(
      [](Exchange& exchange, Task<>&) { exchange.finish(exchange.request().remote_address().ip() + "\n"); });
  const std::string name = fmt::format("@squall-http-{}", ::getpid());
  fixture.server.listen_unix(name);
  RawPeer peer = testing::connect_unix(name);
  peer.send(get("/"));
  CHECK(fixture.read_responses(peer, 1).ends_with("\r\n0.0.0.0\n"));
}

// Reads the body piece by piece.
class StreamingDelegate : public ServerDelegate {
 public:
  Body head_received(Exchange&) override { return Body::streamed; }
  void handle_request(Exchange& exchange, Task<>& pending) override { pending = read(exchange); }
  static Task<> read(Exchange& exchange) {
    std::size_t size = 0;
    for (;;) {
      const std::string_view piece = co_await exchange.read();
      if (piece.empty()) break;
      size += piece.size();
    }
    exchange.finish(std::to_string(size));
  }
};

TEST_CASE("draining closes an idle connection whose last request streamed its body", "[http_server]") {
  testing::TestLoop loop;
  StreamingDelegate delegate;
  HTTPServer server(delegate, loop);
  ListenOptions listen;
  listen.address = "127.0.0.1";
  server.listen(0, listen);
  RawPeer peer(server.port());
  // The body comes with the head.
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
  std::string all;
  loop.run_until([&] {
    peer.drain(all);
    return all.ends_with("\r\n\r\n5");
  });
  for (int turn = 0; turn < 5; ++turn) loop.run_turn();
  Drain drain;
  loop.spawn(Drain::run(server, 1h, drain));
  loop.run_until([&] { return drain.cut.has_value(); });
  CHECK(drain.cut == 0U);
  CHECK(peer.drain(all));
}

}  // namespace
}  // namespace squall::http::http_server_limits_test
