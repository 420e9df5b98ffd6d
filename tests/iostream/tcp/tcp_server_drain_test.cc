#include <squall/ioloop/coro/async_generator.h>
#include <squall/ioloop/coro/multi.h>
#include <squall/ioloop/coro/race.h>
#include <squall/ioloop/coro/with_timeout.h>
#include <squall/iostream/tcp/tcp_server.h>
#include <squall/testing/virtual_clock.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/echo_server.h"

namespace squall::tcp_server_drain_test {
namespace {

using namespace std::chrono_literals;
using testing::ask;
using testing::gets_closed;
using testing::Live;
using testing::loopback;
using testing::RawPeer;
using testing::TestLoop;
using testing::VirtualClock;

class DrainingServer : public testing::EchoServer {
 public:
  using EchoServer::EchoServer;
  int told = 0;

 protected:
  void on_drain() override {
    CHECK(draining());
    CHECK(port() == 0);
    ++told;
  }
};

// A drain() whose progress the test can read.
struct Drain {
  std::optional<std::size_t> cut;

  template <class Limit>
  static Task<> run(TCPServer& server, Limit limit, Drain& drain, Live = {}) {
    const std::size_t cut = co_await server.drain(limit);
    drain.cut = cut;
  }
};

struct Served {
  explicit Served(const IOLoop::Options& options = {}) : loop(options), server(loop) {
    server.listen(0, loopback());
  }
  RawPeer connect() {
    RawPeer peer(server.port());
    CHECK(ask(loop, peer, "hello\n") == "hello\n");
    return peer;
  }
  TestLoop loop;
  DrainingServer server;
};

TEST_CASE("draining an idle server ends at once", "[tcp_server]") {
  Served served;
  Drain drain;
  served.loop.run(Drain::run(served.server, 1h, drain));
  CHECK(drain.cut == 0U);
  CHECK(served.server.told == 1);
}

TEST_CASE("drain() refuses further connections, and ends with the last open one", "[tcp_server]") {
  Served served;
  RawPeer a = served.connect();
  RawPeer b = served.connect();
  const Address address = Address::peer_of(a.fd());
  Drain drain;
  served.loop.spawn(Drain::run(served.server, 1h, drain));
  served.loop.run_until([&] { return served.server.draining(); });
  const OwnedFd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(::connect(late.get(), address.data(), address.size()) != 0);
  CHECK(ask(served.loop, a, "still at work\n") == "still at work\n");
  a.close();
  served.loop.run_until([&] { return served.server.connections() == 1; });
  CHECK(ask(served.loop, b, "me too\n") == "me too\n");
  CHECK_FALSE(drain.cut);
  b.close();
  served.loop.run_until([&] { return drain.cut.has_value(); });
  CHECK(drain.cut == 0U);
  CHECK(Live::count == 0);
}

TEST_CASE("connections that are open at the deadline are closed and counted", "[tcp_server]") {
  VirtualClock clock(VirtualClock::Idle::wait);
  Served served({.time_source = &clock});
  std::vector<RawPeer> peers;
  for (int i = 0; i < 3; ++i) peers.push_back(served.connect());
  Drain drain;
  served.loop.spawn(Drain::run(served.server, 10ms, drain));
  served.loop.run_until([&] { return served.server.draining(); });
  CHECK(ask(served.loop, peers[0], "in time\n") == "in time\n");
  clock.advance(10ms);
  served.loop.run_until([&] { return drain.cut.has_value(); });
  CHECK(drain.cut == 3U);
  CHECK(Live::count == 0);
  CHECK(served.server.connections() == 0);
  for (RawPeer& peer : peers) CHECK(gets_closed(peer));
}

TEST_CASE("a drain's deadline may be a time_point, and may have passed", "[tcp_server]") {
  for (const auto late : {0ms, 10ms}) {
    Served served;
    RawPeer peer = served.connect();
    Drain drain;
    served.loop.run(Drain::run(served.server, served.loop.time() - late, drain));
    CHECK(drain.cut == 1U);
    CHECK(gets_closed(peer));
  }
}

TEST_CASE("a dropped drain() closes no connection, and the server may listen again", "[tcp_server]") {
  Served served;
  RawPeer peer = served.connect();
  Drain drain;
  {
    TaskGroup group(served.loop);
    group.add(Drain::run(served.server, 1ms, drain));
    CHECK(Live::count == 2);
    group.destroy();
  }
  CHECK(Live::count == 1);
  CHECK(served.server.draining());
  served.loop.run_once(5ms);
  CHECK(ask(served.loop, peer, "still there\n") == "still there\n");
  CHECK_FALSE(drain.cut);
  served.server.listen(0, loopback());
  CHECK_FALSE(served.server.draining());
  RawPeer next = served.connect();
  served.loop.run(Drain::run(served.server, 0ms, drain));
  CHECK(drain.cut == 2U);
}

TEST_CASE("a drain ends without closing connections when the server listens again", "[tcp_server]") {
  VirtualClock clock(VirtualClock::Idle::wait);
  Served served({.time_source = &clock});
  RawPeer peer = served.connect();
  Drain drain;
  served.loop.spawn(Drain::run(served.server, 50ms, drain));
  served.loop.run_until([&] { return served.server.draining(); });
  served.server.listen(0, loopback());
  RawPeer next = served.connect();
  clock.advance(50ms);
  served.loop.run_until([&] { return drain.cut.has_value(); });
  CHECK(drain.cut == 0U);
  CHECK(served.server.connections() == 2);
  CHECK(ask(served.loop, next, "still there\n") == "still there\n");
}

TEST_CASE("several drains end together", "[tcp_server]") {
  Served served;
  RawPeer peer = served.connect();
  Drain first;
  Drain second;
  served.loop.spawn(Drain::run(served.server, 1h, first));
  served.loop.spawn(Drain::run(served.server, 2h, second));
  served.loop.run_until([&] { return served.server.told == 2; });
  peer.close();
  served.loop.run_until([&] { return first.cut && second.cut; });
  CHECK(first.cut == 0U);
  CHECK(second.cut == 0U);
}

// Each connection drains the server in one of several ways, and sends what it caught.
class SelfDraining : public TCPServer {
 public:
  enum class Way { awaited, through_a_task, with_a_timeout, in_multi, in_race, in_a_generator };
  SelfDraining(Way way, IOLoop& loop) : TCPServer({}, loop), way_(way) {}
  bool came_back = false;

 protected:
  Task<> handle_stream(IOStream stream, Address) override {
    const Live live;
    const std::string line = co_await stream.read_until("\n", 100);
    std::string caught = "none";
    if (line == "drain\n") {
      try {
        co_await drain_self();
        came_back = true;
      } catch (const std::logic_error& error) {
        caught = error.what();
      }
    }
    co_await stream.write(caught);
  }

 private:
  Task<> drain_self() {
    switch (way_) {
      case Way::awaited: co_await drain(1ms); break;
      case Way::through_a_task: co_await through(*this); break;
      case Way::with_a_timeout: co_await with_timeout(1h, drain(1ms)); break;
      case Way::in_multi: co_await multi(sleep(1ms), drain(1ms)); break;
      case Way::in_race: co_await race(sleep(1h), drain(1ms)); break;
      case Way::in_a_generator:
        AsyncGenerator<std::size_t> cuts = drains(*this);
        co_await cuts.next();
        break;
    }
  }
  static Task<std::size_t> through(SelfDraining& server) {
    const std::size_t cut = co_await server.drain(1ms);
    co_return cut;
  }
  static AsyncGenerator<std::size_t> drains(SelfDraining& server) {
    const std::size_t cut = co_await server.drain(1ms);
    co_yield cut;
  }

  const Way way_;
};

TEST_CASE("a connection that awaits drain() of its own server gets a logic_error, and the server continues",
          "[tcp_server]") {
  using Way = SelfDraining::Way;
  const auto way =
      GENERATE(Way::awaited, Way::through_a_task, Way::with_a_timeout, Way::in_multi, Way::in_race);
  TestLoop loop;
  SelfDraining server(way, loop);
  server.listen(0, loopback());
  RawPeer peer(server.port());
  CHECK(ask(loop, peer, "drain\n") ==
        "a connection awaits drain() of its own server, so of itself: give the task to spawn()");
  CHECK_FALSE(server.draining());
  RawPeer other(server.port());
  CHECK(ask(loop, other, "stay\n") == "none");
  CHECK(Live::count == 0);
}

TEST_CASE("several servers drain at once, and the result is the sum", "[tcp_server]") {
  Served served;
  DrainingServer other(served.loop);
  other.listen(0, loopback());
  RawPeer peers[] = {served.connect(), served.connect()};
  RawPeer third(other.port());
  served.loop.run_until([&] { return other.connections() == 1; });
  CHECK(served.loop.run(TCPServer::drain_all({served.server, other}, 1ms)) == 3U);
  CHECK(served.server.draining());
  CHECK(other.draining());
  CHECK(Live::count == 0);
  CHECK(served.loop.run(TCPServer::drain_all({}, 1h)) == 0U);
}

TEST_CASE(
    "a connection that drains its own server unseen is closed at the deadline, with an error in the log",
    "[tcp_server]") {
  TestLoop loop;
  SelfDraining server(SelfDraining::Way::in_a_generator, loop);
  server.listen(0, loopback());
  RawPeer peer(server.port());
  CHECK(ask(loop, peer, "drain\n") == "");
  CHECK(Live::count == 0);
  CHECK_FALSE(server.came_back);
  CHECK(loop.log.expect("A connection of a server awaited the server's drain()").level == log::Level::error);
}

}  // namespace
}  // namespace squall::tcp_server_drain_test
