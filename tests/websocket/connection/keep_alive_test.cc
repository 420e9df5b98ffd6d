#include <squall/websocket/connection/keep_alive.h>

#include <squall/websocket/connection/websocket_connection.h>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "support/hex.h"
#include "support/platform.h"
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
  explicit Reading(const ConnectionOptions& options, Role role = Role::server)
      : Scene(role, options), tasks(loop) {
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

// The ping of a client, without its mask.
std::string unmasked(const std::string& bytes) {
  CHECK(bytes.size() == 6);
  return to_hex(bytes.substr(0, 2));
}

TEST_CASE("a client sends pings too, and closes a server that does not answer", "[keep_alive]") {
  Reading scene({.ping_interval = 10s, .ping_timeout = 3s}, Role::client);
  for (int i = 0; i < 2; ++i) {
    scene.pass(i == 0 ? 10s : 7s);
    CHECK(unmasked(scene.received(6)) == "8980");
    scene.send(Opcode::pong, "");
    scene.settle_with_input();
    scene.pass(3s);
  }
  scene.pass(7s);
  CHECK(unmasked(scene.received(6)) == "8980");
  scene.pass(3s);
  std::string close = scene.received(22);
  CHECK(to_hex(close.substr(0, 2)) == "8890");
  for (std::size_t i = 6; i < close.size(); ++i) close[i] ^= close[2 + (i - 6) % 4];
  CHECK(close.substr(8) == "ping timed out");
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
  Reading scene({.ping_interval = 1s});
  scene.socket->close(1000);
  for (int i = 0; i < 4; ++i) scene.pass(1s);
  scene.pass(1s);  // the deadline
  scene.loop.run_until([&] { return scene.socket->is_closed(); });
  CHECK(to_hex(scene.received_to_end()) == "880203e8");
  Scene destroyed(Role::server, {.ping_interval = 1s});
  destroyed.socket.reset();
  destroyed.clock.advance(10s);
  destroyed.loop.run_turn();
  CHECK(to_hex(destroyed.received_to_end()) == "880203e9");
}

constexpr std::size_t kLong = 40'000'000;

// The peer takes `count` bytes.
void take(Scene& scene, std::size_t count) {
  std::string bytes(64 * 1024, '\0');
  scene.loop.run_until([&] {
    ssize_t got = 1;
    while (count > 0 && got > 0) {
      got = ::recv(scene.peer.fd(), bytes.data(), std::min(count, bytes.size()), MSG_DONTWAIT);
      if (got > 0) count -= static_cast<std::size_t>(got);
    }
    return count == 0;
  });
}

TEST_CASE("a peer that takes a long message slowly is alive; one that stops is cut off", "[keep_alive]") {
  for (const bool waits_in_write : {false, true}) {
    CAPTURE(waits_in_write);
    Scene scene(Role::server, {.ping_interval = 10s, .ping_timeout = 5s});
    std::string outcome;
    TaskGroup tasks(scene.loop);
    const auto write = [](WebSocketConnection& socket, std::string& outcome) -> Task<> {
      try {
        co_await socket.write_message(std::string(kLong, 'x'), MessageType::binary);
        outcome = "sent";
      } catch (const WebSocketClosedError& error) {
        outcome = error.code() == std::errc::timed_out ? "timed out" : "closed";
      }
    };
    const auto read = [](WebSocketConnection& socket, std::string& outcome) -> Task<> {
      outcome = co_await testing::read_all(socket);
    };
    if (waits_in_write) {
      tasks.add(write(*scene.socket, outcome));
    } else {
      scene.socket->write_message(std::string(kLong, 'x'), MessageType::binary);
      tasks.add(read(*scene.socket, outcome));
    }
    for (int i = 0; i < 3; ++i) {
      scene.clock.advance(i == 0 ? 10s : 5s);
      scene.loop.run_turn();
      take(scene, 8'000'000);
      scene.clock.advance(5s);
      scene.loop.run_turn();
      REQUIRE_FALSE(scene.socket->is_closing());
    }
    // The bytes that are on their way arrive before the next ping.
    std::uint64_t before = 0;
    for (int same = 0; same < 20; before = scene.socket->waiting_bytes()) {
      scene.loop.run_turn();
      ::poll(nullptr, 0, 10);
      same = before == scene.socket->waiting_bytes() ? same + 1 : 0;
    }
    scene.clock.advance(5s);
    scene.loop.run_turn();
    CHECK_FALSE(scene.socket->is_closing());
    scene.clock.advance(5s);
    scene.loop.run_until([&] { return !outcome.empty(); });
    CHECK(outcome == (waits_in_write ? "timed out" : "end "));
    CHECK(scene.socket->is_closed());
  }
}

TEST_CASE("a peer that takes the rest of a message out of the kernel's buffer is alive", "[keep_alive]") {
  Reading scene({.ping_interval = 10s, .ping_timeout = 5s});
  // Fits into the buffers of both kernels, and not into the peer's alone.
  int size = 4096;
  ::setsockopt(scene.peer.fd(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  scene.socket->write_message(std::string(1'000'000, 'x'), MessageType::binary);
  scene.loop.run_until([&] {
    if (scene.socket->waiting_bytes() > 0) take(scene, 50'000);
    return scene.socket->waiting_bytes() == 0;
  });
  scene.pass(10s);
  take(scene, 100'000);
  ::poll(nullptr, 0, 50);  // the acknowledgement
  scene.pass(5s);
  CHECK(scene.socket->is_closing() == !squall::testing::kKnowsUnacknowledged);
  scene.received_now();
}

TEST_CASE("a peer whose bytes wait to be read is alive, in this process or in the kernel", "[keep_alive]") {
  for (const bool is_in_kernel : {false, true}) {
    CAPTURE(is_in_kernel);
    Scene scene(Role::server, {.ping_interval = 10s, .ping_timeout = 5s});
    const std::string one = testing::frame(Role::client, Opcode::text, "one");
    scene.peer.send(is_in_kernel ? one : one + testing::frame(Role::client, Opcode::text, "two"));
    CHECK(scene.read() == "text:one");
    CHECK(scene.socket->has_unread() == !is_in_kernel);
    scene.clock.advance(10s);
    scene.loop.run_turn();
    CHECK(to_hex(scene.received(2)) == kPing);
    std::string all;
    TaskGroup tasks(scene.loop);
    // The read that begins in this turn goes on in the next one, and the timer is due in this turn.
    scene.loop.add_callback([&] {
      if (!is_in_kernel) scene.loop.spend(IOLoop::kBudget);
      tasks.add([](WebSocketConnection& socket, std::string& all) -> Task<> {
        all = co_await testing::read_one(socket);
      }(*scene.socket, all));
      if (is_in_kernel) scene.send(Opcode::text, "two");
    });
    scene.loop.add_callback([&] { CHECK(scene.socket->is_reading()); });
    scene.clock.advance(5s);
    scene.loop.run_until([&] { return !all.empty(); });
    CHECK(all == "text:two");
    CHECK_FALSE(scene.socket->is_closing());
  }
}

}  // namespace
}  // namespace squall::websocket::keep_alive_test
