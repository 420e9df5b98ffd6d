// Each allocation during the life of a connection fails in turn.

#include <squall/http/server/function_delegate.h>
#include <squall/http/server/http_server.h>
#include <squall/testing/virtual_clock.h>

#include <unistd.h>

#include <exception>
#include <memory>
#include <new>
#include <source_location>
#include <string>
#include <thread>
#include <utility>

#include "support/echo_server.h"
#include "support/faults.h"
#include "support/fill_timers.h"
#include "support/http_fixture.h"
#include "support/tls_pair.h"

namespace squall::http::http_server_faults_test {
namespace {

using namespace std::chrono_literals;
using testing::HTTPFixture;
using testing::RawPeer;
using testing::faults::AllocationFault;
using testing::faults::in_turn;
using testing::faults::open_descriptors;

TEST_CASE("after a failed allocation of a connection no ended connection is counted", "[faults]") {
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const bool proxied : {false, true}) {
    HTTPFixture::Options options;
    options.max_connections = 100;
    options.max_connections_per_address = 100;
    if (proxied) options.proxy_protocol.trusted.emplace_back("127.0.0.1");
    const std::string first = (proxied ? "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n" : "") + request;
    const int failures = in_turn([&](int after) {
      CAPTURE(proxied, after);
      bool hit = false;
      // In a new thread, whose object pools are empty.
      std::thread([&] {
        HTTPFixture fixture(testing::describe, options);
        const int open = open_descriptors();
        {
          RawPeer peer = fixture.connect();
          peer.send(first);
          AllocationFault fault(after);
          for (int turn = 0; turn < 8; ++turn) fixture.loop.run_turn();
          peer.send_some(request);
          for (int turn = 0; turn < 4; ++turn) fixture.loop.run_turn();
          hit = fault.disarm() > 0;
        }
        fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
        fixture.loop.run_turn();
        CHECK(open_descriptors() == open);
        RawPeer next = fixture.connect();
        next.send(first);
        CHECK(fixture.read_responses(next, 1).ends_with("GET / 0\n"));
        fixture.loop.log.expect_any("");
      }).join();
      return hit;
    });
    CHECK(failures > 5);
  }
}

// A client that sends its request with the end of its handshake (`at_once`), or one turn later.
Task<> ask_over_tls(IOLoop& loop, std::uint16_t port, const TLSContext& context, bool at_once) {
  const RawPeer raw(port);
  IOStream stream(OwnedFd(::dup(raw.fd())), loop);
  HandshakeAwaiter done = stream.start_tls(context, "localhost");
  if (at_once) stream.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  co_await done;
  if (!at_once) {
    co_await moment();
    stream.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  co_await stream.read_until("GET / 0\n");
}

TEST_CASE("after a failed allocation of a TLS connection no descriptor stays registered", "[faults]") {
  const testing::TLSSides sides;
  const TLSContext context = sides.client();
  for (const bool at_once : {false, true}) {
    const int failures = in_turn([&](int after) {
      CAPTURE(at_once, after);
      bool hit = false;
      std::thread([&] {
        HTTPFixture fixture;
        fixture.server.use_tls(sides.server());
        const int open = open_descriptors();
        {
          TaskGroup clients([](std::exception_ptr, std::source_location) {}, fixture.loop);
          AllocationFault fault(after);
          try {
            clients.add(ask_over_tls(fixture.loop, fixture.server.port(), context, at_once));
          } catch (const std::bad_alloc&) {
            // The client's own allocation failed.
          }
          for (int turn = 0; turn < 30; ++turn) fixture.loop.run_turn();
          hit = fault.disarm() > 0;
        }
        fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
        fixture.loop.run_turn();
        CHECK(open_descriptors() == open);
        // New connections get the same descriptor numbers, which the loop must not have registered.
        for (int i = 0; i < 2; ++i)
          fixture.loop.run(ask_over_tls(fixture.loop, fixture.server.port(), context, at_once));
        fixture.loop.log.expect_any("");
      }).join();
      return hit;
    });
    CHECK(failures > 5);
  }
}

// ---- The timer of a body.

// Streams the body: reads whenever `go` is set. /detach detaches the connection once a read has failed.
class SteppedReader : public ServerDelegate {
 public:
  Body head_received(Exchange&) override { return Body::streamed; }
  void handle_request(Exchange& exchange, Task<>& pending) override {
    pending = exchange.request().path() == "/detach" ? detach(*this, exchange) : read(*this, exchange);
  }
  static Task<> read(SteppedReader& me, Exchange& exchange) {
    for (;;) {
      const std::string_view piece = co_await exchange.read();
      if (piece.empty()) break;
      ++me.pieces;
      co_await me.go.wait();
    }
    exchange.finish("read");
  }
  static Task<> detach(SteppedReader& me, Exchange& exchange) {
    co_await me.go.wait();
    try {
      co_await exchange.read();
    } catch (const std::bad_alloc&) {
      ++me.refused;
    }
    co_await moment();
    exchange.write({});
    IOStream stream = exchange.detach();
    co_await stream.write("detached");
  }

  Event go;
  int pieces = 0;
  int refused = 0;
};

struct SteppedFixture {
  SteppedFixture() : loop({.time_source = &clock}), server(delegate, options(), loop) {
    ListenOptions listen;
    listen.address = "127.0.0.1";
    server.listen(0, listen);
  }
  static HTTPServer::Options options() {
    HTTPServer::Options options;
    options.body_timeout = 50s;
    options.idle_timeout = 1h;
    options.write_timeout = 1h;
    return options;
  }
  void turns() {
    for (int turn = 0; turn < 5; ++turn) loop.run_turn();
  }

  testing::VirtualClock clock{testing::VirtualClock::Idle::wait};
  testing::TestLoop loop;
  SteppedReader delegate;
  HTTPServer server;
};

TEST_CASE("the deadline of a body that a handler reads is kept without memory for another timer",
          "[faults]") {
  SteppedFixture fixture;
  RawPeer peer(fixture.server.port());
  peer.send("POST /read HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  fixture.loop.run_until([&] { return fixture.delegate.pieces == 1; });
  // The handler holds the piece for 10 s, which do not count.
  fixture.clock.advance(10s);
  fixture.delegate.go.set();
  fixture.turns();
  testing::fill_timers(fixture.loop);
  {
    AllocationFault fault(0, testing::faults::kAlways);
    fixture.clock.advance(40s);
    fixture.turns();
    fault.disarm();
  }
  CHECK(peer.received().empty());
  fixture.clock.advance(9s);
  fixture.turns();
  CHECK(peer.received().empty());
  fixture.clock.advance(2s);
  std::string all;
  fixture.loop.run_until([&] {
    peer.drain(all);
    return !all.empty();
  });
  CHECK(all.starts_with("HTTP/1.1 408 "));
}

TEST_CASE("a read of a body without memory for its timer fails, and no read waits", "[faults]") {
  int refused = 0;
  const int failures = in_turn([&](int after) {
    CAPTURE(after);
    bool hit = false;
    // In a thread of its own, whose pools are empty.
    std::thread([&] {
      SteppedFixture fixture;
      RawPeer peer(fixture.server.port());
      peer.send("POST /detach HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
      fixture.loop.run_until([&] { return fixture.server.connections() == 1; });
      fixture.turns();
      testing::fill_timers(fixture.loop);
      {
        AllocationFault fault(after);
        fixture.delegate.go.set();
        fixture.loop.run_turn();
        hit = fault.disarm() > 0;
      }
      refused += fixture.delegate.refused;
      std::string all;
      fixture.loop.run_until([&] { return peer.drain(all); });
      CHECK(all.ends_with("detached"));
    }).join();
    return hit;
  });
  // The frame of the read, the array of deadlines, and the callbacks.
  CHECK(failures >= 3);
  CHECK(refused >= 3);
}

// ---- Functions that answer.

template <class Function>
std::unique_ptr<ServerDelegate> make_delegate(Function function,
                                              ServerDelegate::Body body = ServerDelegate::Body::collected) {
  return std::make_unique<FunctionDelegate>(std::move(function), body);
}

Task<ServerResponse> later(ServerRequest& request) {
  co_await moment();
  co_return ServerResponse(200, "later " + std::string(request.path()));
}
Task<> pieces_later(Exchange& exchange) {
  for (int i = 0; i < 3; ++i) {
    exchange.write("piece " + std::string(3000, 'x'));
    co_await exchange.flush();
  }
  exchange.finish();
}
Task<> read_later(Exchange& exchange) {
  std::size_t size = 0;
  for (;;) {
    const std::string_view piece = co_await exchange.read();
    if (piece.empty()) break;
    size += piece.size();
  }
  exchange.finish("read " + std::to_string(size));
}

TEST_CASE("whichever allocation of a function's request fails, it gets a 500 or a closed connection",
          "[faults]") {
  struct Row {
    const char* name;
    std::unique_ptr<ServerDelegate> (*make)();
  };
  const Row rows[] = {
      {"a response", [] { return make_delegate([](ServerRequest&) { return ServerResponse(200, "now"); }); }},
      {"a task of a response", [] { return make_delegate(later); }},
      {"an exchange", [] { return make_delegate([](Exchange& exchange) { exchange.finish("now"); }); }},
      {"a task of an exchange", [] { return make_delegate(pieces_later); }},
      {"a task that reads", [] { return make_delegate(read_later, ServerDelegate::Body::streamed); }},
  };
  const std::string request =
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5000\r\n\r\n" +
      std::string(5000, 'y');
  for (const Row& row : rows) {
    CAPTURE(row.name);
    int refused = 0;
    const int failures = in_turn([&](int after) {
      CAPTURE(after);
      bool hit = false;
      std::thread([&] {
        const std::unique_ptr<ServerDelegate> delegate = row.make();
        testing::TestLoop loop;
        HTTPServer server(*delegate, loop);
        ListenOptions listen;
        listen.address = "127.0.0.1";
        server.listen(0, listen);
        const int open = open_descriptors();
        std::string response;
        {
          RawPeer peer(server.port());
          peer.send(request);
          AllocationFault fault(after);
          for (int turn = 0; turn < 20; ++turn) loop.run_turn();
          hit = fault.disarm() > 0;
          loop.run_until([&] { return peer.drain(response); });
        }
        INFO(response);
        const bool is_500 = response.starts_with("HTTP/1.1 500 ");
        CHECK((response.empty() || is_500 || response.starts_with("HTTP/1.1 200 ")));
        CHECK((hit || response.starts_with("HTTP/1.1 200 ")));
        refused += is_500;
        loop.run_until([&] { return server.connections() == 0; });
        loop.run_turn();
        CHECK(open_descriptors() == open);
        RawPeer next(server.port());
        next.send(request);
        response.clear();
        loop.run_until([&] { return next.drain(response); });
        CHECK(response.starts_with("HTTP/1.1 200 "));
        loop.log.expect_any("");
      }).join();
      return hit;
    });
    CHECK(failures > 5);
    CHECK(refused > 0);
  }
}

}  // namespace
}  // namespace squall::http::http_server_faults_test
