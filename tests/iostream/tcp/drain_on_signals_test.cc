#include <squall/iostream/tcp/drain_on_signals.h>

#include <signal.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <vector>

#include "support/echo_server.h"

namespace squall::drain_on_signals_test {
namespace {

using namespace std::chrono_literals;
using testing::ask;
using testing::EchoServer;
using testing::gets_closed;
using testing::Live;
using testing::loopback;
using testing::RawPeer;
using testing::TestLoop;

Task<> watch(Task<> draining, bool& ended, Live = {}) {
  co_await std::move(draining);
  ended = true;
}

// Servers that drain on a signal.
struct Servers {
  explicit Servers(IOLoop::Duration limit) : first(loop), second(loop), third(loop) {
    for (EchoServer* server : {&first, &second, &third}) server->listen(0, loopback());
    loop.spawn(watch(drain_on_signals({first, second, third}, limit), ended));
  }
  RawPeer connect(EchoServer& server) {
    RawPeer peer(server.port());
    CHECK(ask(loop, peer, "hello\n") == "hello\n");
    return peer;
  }
  TestLoop loop;
  EchoServer first;
  EchoServer second;
  EchoServer third;
  bool ended = false;
};

TEST_CASE("on a signal several servers stop listening at once, and the loop stops when all have drained",
          "[drain_on_signals]") {
  Servers servers(1h);
  RawPeer first = servers.connect(servers.first);
  RawPeer second = servers.connect(servers.second);
  ::raise(SIGTERM);
  servers.loop.run_until([&] { return servers.first.draining(); });
  CHECK(servers.second.draining());
  CHECK(servers.third.draining());
  CHECK(servers.third.port() == 0);
  CHECK(ask(servers.loop, first, "still at work\n") == "still at work\n");
  first.close();
  servers.loop.run_until([&] { return servers.first.connections() == 0; });
  CHECK(ask(servers.loop, second, "me too\n") == "me too\n");
  CHECK_FALSE(servers.ended);
  second.close();
  servers.loop.wait();  // until stop() is called
  CHECK(servers.ended);
}

TEST_CASE("the limit of drain_on_signals counts for all servers together", "[drain_on_signals]") {
  Servers servers(30ms);
  RawPeer first = servers.connect(servers.first);
  RawPeer second = servers.connect(servers.second);
  const auto begin = IOLoop::Clock::now();
  ::raise(SIGINT);
  servers.loop.wait();
  CHECK(IOLoop::Clock::now() - begin >= 30ms);
  CHECK(servers.ended);
  CHECK(gets_closed(first));
  CHECK(gets_closed(second));
}

TEST_CASE("a second signal stops the loop at once", "[drain_on_signals]") {
  Servers servers(1h);
  const RawPeer peer = servers.connect(servers.second);
  ::raise(SIGTERM);
  servers.loop.run_until([&] { return servers.second.draining(); });
  ::raise(SIGTERM);
  servers.loop.wait();
  CHECK_FALSE(servers.ended);
  CHECK(servers.second.connections() == 1);
}

TEST_CASE("two different signals in one turn stop the loop at once", "[drain_on_signals]") {
  Servers servers(1h);
  const RawPeer peer = servers.connect(servers.second);
  ::raise(SIGINT);
  ::raise(SIGTERM);
  servers.loop.wait();
  CHECK_FALSE(servers.ended);
  CHECK(servers.second.draining());
  CHECK(servers.second.connections() == 1);
}

TEST_CASE("drain_on_signals refuses no server, and servers of several loops", "[drain_on_signals]") {
  TestLoop loop;
  EchoServer server(loop);
  IOLoop other;
  EchoServer elsewhere(other);
  CHECK_THROWS_AS(drain_on_signals(std::vector<std::reference_wrapper<TCPServer>>(), 1s),
                  std::invalid_argument);
  const std::vector<std::reference_wrapper<TCPServer>> both{server, elsewhere};
  CHECK_THROWS_AS(drain_on_signals(both, 1s), std::invalid_argument);
}

}  // namespace
}  // namespace squall::drain_on_signals_test
