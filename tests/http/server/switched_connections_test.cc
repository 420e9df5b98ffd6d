// Connections that have left HTTP and still belong to their server.

#include <squall/http/server/switched_connections.h>

#include <squall/http/server/switched_connection.h>
#include <squall/testing/virtual_clock.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/http_fixture.h"

namespace squall::http::switched_connections_test {
namespace {

using namespace std::chrono_literals;
using testing::HTTPFixture;
using testing::Live;
using testing::RawPeer;

// Sends back what it gets, and says goodbye when the server drains.
class Tunnel final : SwitchedConnection {
 public:
  explicit Tunnel(Exchange& exchange) : SwitchedConnection(exchange), stream_(exchange.detach()) {}

  IOStream& stream() noexcept { return stream_; }
  void drain() noexcept override { stream_.write("goodbye\n"); }
  void cut() noexcept override {
    stream_.write("cut\n");
    stream_.close();
  }

 private:
  IOStream stream_;
};

Task<> echo_lines(std::unique_ptr<Tunnel> tunnel) {
  const Live live;
  try {
    for (;;) {
      const ReadView line = co_await tunnel->stream().read_until("\n", 100);
      if (line == "end\n") co_return;
      co_await tunnel->stream().write(line);
    }
  } catch (const StreamClosedError&) {
    // The client has gone.
  }
}

void send_head(Exchange& exchange) {
  exchange.set_status(101);
  exchange.headers().set("Upgrade", "lines");
  exchange.headers().set("Connection", "Upgrade");
  exchange.write({});
}

// Talks the other protocol in the delegate's task.
Task<> stay(Exchange& exchange) {
  send_head(exchange);
  co_await echo_lines(std::make_unique<Tunnel>(exchange));
}

// Talks it in the task of a successor.
struct LineSuccessor final : Exchange::Successor {
  Task<> run(std::unique_ptr<Successor> self, std::unique_ptr<Exchange> exchange) override {
    target = exchange->request().target();
    return go_on(std::move(self), std::move(exchange), std::move(tunnel));
  }
  static Task<> go_on([[maybe_unused]] std::unique_ptr<Successor> self,
                      [[maybe_unused]] std::unique_ptr<Exchange> exchange, std::unique_ptr<Tunnel> tunnel) {
    co_await echo_lines(std::move(tunnel));
  }

  std::unique_ptr<Tunnel> tunnel;
  static inline std::string target;
  Live live;
};
Task<> hand_over(Exchange& exchange) {
  send_head(exchange);
  auto successor = std::make_unique<LineSuccessor>();
  successor->tunnel = std::make_unique<Tunnel>(exchange);
  exchange.hand_on(std::move(successor));
  co_return;
}
Task<> fail_behind(Exchange& exchange) {
  co_await hand_over(exchange);
  throw std::runtime_error("behind hand_on()");
}

using Answer = Task<> (*)(Exchange& exchange);

struct Server : HTTPFixture {
  explicit Server(Answer answer)
      : HTTPFixture([answer](Exchange& exchange, Task<>& pending) { pending = answer(exchange); }) {}

  // A client behind its 101.
  RawPeer upgraded() {
    RawPeer peer = connect();
    peer.send("GET /lines HTTP/1.1\r\nHost: h\r\n\r\n");
    receive(peer, "\r\n\r\n");
    return peer;
  }
  std::string receive(RawPeer& peer, std::string_view last) {
    std::string got;
    loop.run_until([&] { return peer.drain(got) || got.ends_with(last); });
    return got;
  }
  void begin_drain(TimeSpan time) { loop.spawn(drain(time)); }
  Task<> drain(TimeSpan time) {
    const std::size_t result = co_await server.drain(time);
    cut = result;
  }

  std::optional<std::size_t> cut;
};

Task<> discard(Task<std::size_t> drain) {
  const std::size_t cut = co_await std::move(drain);
  static_cast<void>(cut);
}

TEST_CASE("an upgraded connection counts, hears of a drain, and is waited for", "[switched_connections]") {
  for (const Answer answer : {&stay, &hand_over}) {
    Server server(answer);
    RawPeer peer = server.upgraded();
    peer.send("one\n");
    CHECK(server.receive(peer, "one\n") == "one\n");
    CHECK(server.server.connections() == 1);
    server.begin_drain(1h);
    CHECK(server.receive(peer, "\n") == "goodbye\n");
    CHECK_FALSE(server.cut);
    peer.send("end\n");
    server.loop.run_until([&] { return server.cut.has_value(); });
    CHECK(*server.cut == 0);
    CHECK(Live::count == 0);
  }
}

TEST_CASE("at the end of the drain's time an upgraded connection is cut, and its task destroyed",
          "[switched_connections]") {
  for (const Answer answer : {&stay, &hand_over}) {
    Server server(answer);
    RawPeer peer = server.upgraded();
    server.begin_drain(10ms);
    CHECK(server.read_to_end(peer) == "goodbye\ncut\n");
    server.loop.run_until([&] { return server.cut.has_value(); });
    CHECK(*server.cut == 1);
    CHECK(Live::count == 0);
  }
}

TEST_CASE("a successor keeps the request, without the coroutines of the connection",
          "[switched_connections]") {
  Server server(&hand_over);
  RawPeer peer = server.upgraded();
  CHECK(LineSuccessor::target == "/lines");
  CHECK(Live::count == 2);
  peer.close();
  server.loop.run_until([&] { return server.server.connections() == 0; });
  server.loop.run_until([] { return Live::count == 0; });
}

TEST_CASE("the successor of a task that fails is destroyed", "[switched_connections]") {
  Server server(&fail_behind);
  RawPeer peer = server.upgraded();
  CHECK(server.read_to_end(peer).empty());
  server.loop.log.expect("behind hand_on()");
  CHECK(Live::count == 0);
  server.loop.run_until([&] { return server.server.connections() == 0; });
}

TEST_CASE("destroying the server destroys the task of a successor", "[switched_connections]") {
  {
    Server server(&hand_over);
    RawPeer peer = server.upgraded();
    CHECK(Live::count == 2);
  }
  CHECK(Live::count == 0);
  CHECK_FALSE(Live::broken);
}

TEST_CASE("with many connections a drain tells some of them in each pause", "[switched_connections]") {
  testing::VirtualClock clock{testing::VirtualClock::Idle::wait};
  testing::TestLoop loop{IOLoop::Options{.time_source = &clock}};
  testing::FunctionDelegate delegate(
      [](Exchange& exchange, Task<>& pending) { pending = hand_over(exchange); });
  std::optional<HTTPServer> owned(std::in_place, delegate, loop);
  HTTPServer& server = *owned;
  ListenOptions options;
  options.address = "127.0.0.1";
  server.listen(0, options);
  std::vector<RawPeer> peers;
  const auto got_bytes = [&peers] {
    return std::count_if(peers.begin(), peers.end(), [](RawPeer& peer) { return !peer.received().empty(); });
  };
  constexpr int kMany = SwitchedConnections::kBatch + 44;
  for (int i = 0; i < kMany; ++i) {
    peers.emplace_back(server.port());
    peers.back().send("GET /lines HTTP/1.1\r\nHost: h\r\n\r\n");
    loop.run_until([&] { return server.connections() == peers.size() && !peers.back().received().empty(); });
  }
  TaskGroup group(loop);
  group.add(discard(server.drain(1h)));
  std::ptrdiff_t told = 0;
  for (int i = 0; i < 10; ++i) {
    loop.run_turn();
    told += got_bytes();
  }
  CHECK(told == SwitchedConnections::kBatch);
  clock.advance(SwitchedConnections::kPause);
  loop.run_until([&] { return (told += got_bytes()) == kMany; });
  // A further drain before the pause is over tells all again, and leaves no timer behind.
  group.add(discard(server.drain(1h)));
  group.add(discard(server.drain(1h)));
  for (int i = 0; i < 10; ++i) loop.run_turn();
  group.destroy();
  owned.reset();
  clock.advance(10 * SwitchedConnections::kPause);
  for (int i = 0; i < 10; ++i) loop.run_turn();
}

}  // namespace
}  // namespace squall::http::switched_connections_test
