// Every timeout of a server, with real sockets and a virtual clock. connection_table_test.cc tests the
// deadlines of ten thousand connections.

#include <squall/http/server/http_server.h>
#include <squall/iostream/tls/tls_context.h>
#include <squall/testing/virtual_clock.h>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/http_fixture.h"

namespace squall::http::deadlines_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using testing::RawPeer;

const std::string kLarge(8'000'000, 'x');

// Answers /large with 8 MB, streams the body of /read, and gives the body of /own a timeout of 3 s. Streams
// the body of /blocked with a timeout of 3 s too, and holds the loop for 10 s before each read.
class Delegate : public ServerDelegate {
 public:
  explicit Delegate(testing::VirtualClock& clock) : clock_(clock) {}

  Body head_received(Exchange& exchange) override {
    const std::string_view path = exchange.request().path();
    if (path == "/own" || path == "/blocked") exchange.set_body_timeout(3s);
    return path == "/read" || path == "/blocked" ? Body::streamed : Body::collected;
  }
  void handle_request(Exchange& exchange, Task<>& pending) override {
    ++requests;
    const std::string_view path = exchange.request().path();
    if (path == "/read") {
      pending = read(exchange);
    } else if (path == "/blocked") {
      pending = read_blocked(*this, exchange);
    } else if (path == "/stream") {
      pending = stream(exchange);
    } else {
      exchange.finish(path == "/large" ? std::string_view(kLarge) : "ok");
    }
  }
  static Task<> read(Exchange& exchange) {
    for (;;) {
      const std::string_view piece = co_await exchange.read();
      if (piece.empty()) break;
      co_await sleep(2s);  // the handler's own time: no body timeout runs
    }
    exchange.finish("read");
  }
  static Task<> read_blocked(Delegate& me, Exchange& exchange) {
    for (;;) {
      me.clock_.advance(10s);
      const std::string_view piece = co_await exchange.read();
      if (piece.empty()) break;
      ++me.pieces;
    }
    exchange.finish("read");
  }
  static Task<> stream(Exchange& exchange) {
    for (;;) {
      exchange.write(kLarge);
      co_await exchange.flush();
    }
  }
  int requests = 0;
  int pieces = 0;

 private:
  testing::VirtualClock& clock_;
};

HTTPServer::Options timeouts() {
  HTTPServer::Options options;
  options.idle_timeout = 100s;
  options.head_timeout = 20s;
  options.body_timeout = 50s;
  options.write_timeout = 30s;
  options.linger_timeout = 5s;
  return options;
}

struct Fixture {
  Fixture() : loop({.time_source = &clock}), server(delegate, timeouts(), loop) {
    ListenOptions listen;
    listen.address = "127.0.0.1";
    server.listen(0, listen);
  }
  // Clients that have sent `bytes`, which the server has received.
  void connect(int count, std::string_view bytes) {
    for (int i = 0; i < count; ++i) {
      peers.emplace_back(server.port());
      if (!bytes.empty()) peers.back().send(bytes);
      if (i % 50 == 0) turns(2);
    }
    loop.run_until([&] { return server.connections() == peers.size(); });
    settle();
  }
  // Runs turns until 20 turns in a row bring no new request.
  void settle() {
    int seen = 0;
    for (int quiet = 0; quiet < 20; ++quiet) {
      loop.run_turn();
      if (delegate.requests != std::exchange(seen, delegate.requests)) quiet = 0;
    }
  }
  void turns(int count) {
    for (int i = 0; i < count; ++i) loop.run_turn();
  }
  // Advances the clock, in steps of 50 ms if `most` is not above two minutes, otherwise of 250 ms. Returns
  // the times at which the first and the last connection were closed.
  std::pair<nanoseconds, nanoseconds> pass_until_closed(nanoseconds most) {
    nanoseconds passed{};
    std::optional<nanoseconds> first;
    const std::size_t all = server.connections();
    const nanoseconds step = most > 120s ? 250ms : 50ms;
    while (server.connections() > 0 && passed < most) {
      clock.advance(step);
      passed += step;
      turns(4);
      if (!first && server.connections() < all) first = passed;
      if (const int bytes = unread(); bytes != std::exchange(unread_before_, bytes)) moved = passed;
      if (each_step) each_step(passed);
    }
    return {first.value_or(most), passed};
  }

  // The bytes that the clients have received and not read.
  int unread() {
    int all = 0;
    for (const RawPeer& peer : peers) {
      int bytes = 0;
      if (::ioctl(peer.fd(), FIONREAD, &bytes) == 0) all += bytes;
    }
    return all;
  }

  testing::VirtualClock clock{testing::VirtualClock::Idle::wait};
  testing::TestLoop loop;
  Delegate delegate{clock};
  HTTPServer server;
  std::vector<RawPeer> peers;
  std::function<void(nanoseconds passed)> each_step;
  // When pass_until_closed() last saw that bytes arrived at a client: on a busy machine the system may still
  // move them while the virtual clock runs.
  nanoseconds moved{};

 private:
  int unread_before_ = 0;
};

// `begun` is when the last connection began to wait.
void check_exact(std::pair<nanoseconds, nanoseconds> ends, nanoseconds timeout, nanoseconds begun = {}) {
  CHECK(ends.first >= timeout);
  CHECK(ends.second <= begun + timeout + std::max<nanoseconds>(timeout / 20, 250ms));
}

TEST_CASE("the time in which a handler holds the loop before a read is not a part of its body's timeout",
          "[deadlines]") {
  Fixture fixture;
  fixture.connect(1, "POST /blocked HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n");
  for (int sent = 1; sent <= 9; ++sent) {
    fixture.peers[0].send("x");
    fixture.loop.run_until([&] { return fixture.delegate.pieces == sent; });
    fixture.turns(5);
  }
  std::string answer;
  fixture.loop.run_until([&] {
    fixture.peers[0].drain(answer);
    return answer.ends_with("read");
  });
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("a server's timeouts are exact, with one connection and with 200", "[deadlines]") {
  struct Kind {
    const char* name;
    std::string bytes;
    nanoseconds timeout;  // from the request until the connection is closed
  };
  const Kind kinds[] = {
      {"new and idle", "", 100s},
      {"idle after a request", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 100s},
      {"write", "GET /large HTTP/1.1\r\nHost: h\r\n\r\n", 30s},
      {"write, by a handler that waits", "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n", 30s},
      {"linger", "GET / HTTP/1.0\r\n\r\nmore", 5s},
      {"write while lingering", "GET /large HTTP/1.0\r\n\r\nmore", 30s},
      // The server answers 408, and then the linger timeout runs.
      {"head", "GET / HTTP/1.1\r\nHo", 25s},
      {"body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", 55s},
      {"body of its own", "POST /own HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", 8s},
      // The handler holds the first piece for 2 s.
      {"body that is read", "POST /read HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", 57s},
  };
  for (const int count : {1, 200}) {
    for (const Kind& kind : kinds) {
      CAPTURE(kind.name, count);
      Fixture fixture;
      fixture.connect(count, kind.bytes);
      const auto ends = fixture.pass_until_closed(kind.timeout * 2);
      const bool writes = std::string_view(kind.name).starts_with("write");
      check_exact(ends, kind.timeout, writes ? fixture.moved : nanoseconds());
      fixture.loop.log.expect_any("");
    }
  }
}

TEST_CASE("the write timeout cuts off a client that takes a byte a second of a full buffer", "[deadlines]") {
  for (const char* path : {"/large", "/stream"}) {
    Fixture fixture;
    fixture.connect(1, fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", path));
    int taken = 0;
    fixture.each_step = [&](nanoseconds passed) {
      char byte;
      if (passed % 1s == 0ns && ::recv(fixture.peers.front().fd(), &byte, 1, MSG_DONTWAIT) == 1) ++taken;
    };
    check_exact(fixture.pass_until_closed(100s), 30s);
    CHECK(taken >= 29);
    // The connection is reset, so the kernel keeps no bytes for the client.
    std::array<char, 65536> bytes;
    while (::recv(fixture.peers.front().fd(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) continue;
    CHECK(errno == ECONNRESET);
    fixture.loop.log.expect_any("Timeout writing to");
  }
}

}  // namespace
}  // namespace squall::http::deadlines_test
