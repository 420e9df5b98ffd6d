#include <squall/websocket/connection/keep_alive.h>

#include <squall/websocket/connection/websocket_connection.h>

#include <poll.h>

#include <chrono>
#include <string>

#include "support/hex.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::keep_alive_test {
namespace {

using namespace std::chrono_literals;
using squall::testing::to_hex;
using testing::close_payload;
using testing::Scene;

constexpr const char* kPing = "8900";
constexpr const char* kTimedOut = "881003e870696e672074696d6564206f7574";  // 1000, `ping timed out`

// A connection whose messages are read.
struct Reading : Scene {
  explicit Reading(const ConnectionOptions& options) : Scene(Role::server, options), tasks(loop) {
    tasks.add([](WebSocketConnection& socket, std::string& all) -> Task<> {
      all = co_await testing::read_all(socket);
    }(*socket, all));
  }
  void pass(std::chrono::milliseconds time) {
    clock.advance(time);
    settle();
  }
  // Has the connection read what the peer has sent: on a busy machine it may be on its way for a while.
  void settle_with_input() {
    pollfd arrived{.fd = socket->stream().fd(), .events = POLLIN, .revents = 0};
    ::poll(&arrived, 1, 5000);
    settle();
  }
  void settle() {
    for (int i = 0; i < 5; ++i) loop.run_turn();
  }

  std::string all;  // the messages, once the connection has ended
  TaskGroup tasks;
};

TEST_CASE("without an interval no pings are sent", "[keep_alive]") {
  Reading scene(ConnectionOptions{});
  scene.pass(24h);
  CHECK(scene.received_now().empty());
}

TEST_CASE("a ping without payload is sent at each interval, the first after one (WSK-70, WSK-73)",
          "[keep_alive]") {
  Reading scene({.ping_interval = 10s});
  scene.pass(9999ms);
  CHECK(scene.received_now().empty());
  scene.pass(1ms);
  CHECK(to_hex(scene.received(2)) == kPing);
  scene.send(Opcode::pong, "");
  scene.settle_with_input();
  scene.pass(10s);
  CHECK(to_hex(scene.received(2)) == kPing);
  scene.send(Opcode::pong, "of another ping");
  scene.settle_with_input();
  scene.pass(10s);
  CHECK(to_hex(scene.received(2)) == kPing);
}

TEST_CASE("a peer that does not answer a ping in time is closed with the reason (WSK-72)", "[keep_alive]") {
  Reading scene({.ping_interval = 10s, .ping_timeout = 3s});
  scene.pass(10s);
  CHECK(to_hex(scene.received(2)) == kPing);
  scene.pass(2999ms);
  CHECK(scene.received_now().empty());
  scene.pass(1ms);
  CHECK(to_hex(scene.received(18)) == kTimedOut);
  scene.pass(60s);  // no further pings (WSK-58), and the end at the deadline
  scene.loop.run_until([&] { return !scene.all.empty(); });
  CHECK(scene.received_to_end().empty());
}

TEST_CASE("the timeout is the interval unless it is set, and pings go on after an answer", "[keep_alive]") {
  Reading scene({.ping_interval = 10s});
  scene.pass(10s);
  CHECK(to_hex(scene.received(2)) == kPing);
  scene.pass(9999ms);
  CHECK(scene.received_now().empty());
  scene.pass(1ms);
  CHECK(to_hex(scene.received(18)) == kTimedOut);
  scene.send(Opcode::close, close_payload(1000));
  scene.loop.run_until([&] { return !scene.all.empty(); });
  CHECK(scene.all == "end ");
}

TEST_CASE("a part of a message proves that the peer is alive: its pong may be behind", "[keep_alive]") {
  Reading scene({.ping_interval = 10s, .ping_timeout = 5s});
  const std::string message = testing::frame(Role::client, Opcode::text, "long");
  scene.pass(10s);
  CHECK(to_hex(scene.received(2)) == kPing);
  scene.peer.send(message.substr(0, 8));
  scene.settle_with_input();
  scene.pass(5s);
  scene.pass(5s);
  CHECK(to_hex(scene.received(2)) == kPing);
}

TEST_CASE("a timeout of zero never closes the connection (WSK-71)", "[keep_alive]") {
  Reading scene({.ping_interval = 1s, .ping_timeout = 0s});
  for (int i = 0; i < 20; ++i) {
    scene.pass(1s);
    CHECK(to_hex(scene.received(2)) == kPing);
  }
}

TEST_CASE("a timeout longer than the interval is reduced to it, with one warning (WSK-71)", "[keep_alive]") {
  for (int i = 0; i < 2; ++i) {
    Reading scene({.ping_interval = 7s, .ping_timeout = 8s});
    if (i == 0) scene.loop.log.expect("ping_timeout of a WebSocket, 8 s");
    scene.pass(7s);
    CHECK(to_hex(scene.received(2)) == kPing);
    scene.pass(7s);
    CHECK(to_hex(scene.received(18)) == kTimedOut);
  }
}

TEST_CASE("while the program does not read, the peer is not taken for dead", "[keep_alive]") {
  Scene scene(Role::server, {.ping_interval = 10s});
  for (int i = 0; i < 3; ++i) {
    scene.clock.advance(10s);
    scene.loop.run_turn();
    CHECK(to_hex(scene.received(2)) == kPing);
  }
  scene.send(Opcode::text, "here");
  CHECK(scene.read() == "text:here");
}

TEST_CASE("pings stop with the connection (WSK-58)", "[keep_alive]") {
  Scene scene(Role::server, {.ping_interval = 1s});
  scene.socket->close(1000);
  CHECK(to_hex(scene.received(4)) == "880203e8");
  for (int i = 0; i < 4; ++i) {
    scene.clock.advance(1s);
    scene.loop.run_turn();
  }
  CHECK(scene.received_now().empty());
  Scene destroyed(Role::server, {.ping_interval = 1s});
  destroyed.socket.reset();
  destroyed.clock.advance(10s);
  destroyed.loop.run_turn();
}

}  // namespace
}  // namespace squall::websocket::keep_alive_test
