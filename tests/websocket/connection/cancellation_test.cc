// Tasks that are destroyed where they wait, and connections that are destroyed with them.

#include <squall/iostream/socket/socket.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <poll.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "support/hex.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::cancellation_test {
namespace {

using namespace std::chrono_literals;
using squall::testing::Live;
using squall::testing::to_hex;
using testing::close_payload;
using testing::frame;
using testing::Scene;

// Reads all, until it is destroyed.
Task<> read_for_ever(WebSocketConnection& socket, std::string& all) {
  const Live work;
  for (;;) {
    const std::optional<Message> message = co_await socket.read_message();
    all += testing::describe(message) + ' ';
    if (!message) co_return;
  }
}

enum class Input { none, expected };

// Starts `task`, and destroys it where it waits: at once, or when the connection has received what the peer
// has sent.
void start_and_destroy(Scene& scene, Task<> task, Input input, int fd) {
  TaskGroup tasks(scene.loop);
  if (input == Input::expected) {
    pollfd arrived{.fd = fd, .events = POLLIN, .revents = 0};
    REQUIRE(::poll(&arrived, 1, 5000) == 1);
  }
  tasks.add(std::move(task));
  scene.loop.run_until([fd] { return arrived_bytes(fd) == 0; });
  CHECK(tasks.size() == 1);
  tasks.destroy();
  CHECK(Live::count == 0);
}
void start_and_destroy(Scene& scene, Task<> task, Input input = Input::none) {
  start_and_destroy(scene, std::move(task), input, scene.socket->stream().fd());
}

TEST_CASE("a read that is destroyed while it waits loses no byte of a message", "[websocket][cancel]") {
  Scene scene;
  std::string all;
  start_and_destroy(scene, read_for_ever(*scene.socket, all));
  const std::string bytes =
      frame(Role::client, Opcode::text, "frag", false) + frame(Role::client, Opcode::continuation, "ments");
  for (const char byte : bytes) {
    if (byte == bytes.back()) break;
    scene.peer.send({&byte, 1});
    start_and_destroy(scene, read_for_ever(*scene.socket, all), Input::expected);
  }
  CHECK(all.empty());
  scene.peer.send(bytes.substr(bytes.find(bytes.back())));
  CHECK(scene.read() == "text:fragments");
}

TEST_CASE("a read may be moved until it is awaited, and given a deadline", "[websocket][cancel]") {
  Scene scene;
  const auto read = [](WebSocketConnection& socket) -> Task<std::string> {
    MessageAwaiter made = socket.read_message();
    MessageAwaiter moved = std::move(made);
    std::optional<Message> message;
    bool is_late = false;
    try {
      message = co_await with_timeout(1s, std::move(moved));
    } catch (const TimeoutError&) {
      is_late = true;
    }
    co_return is_late ? "late" : testing::describe(message);
  };
  scene.send(Opcode::text, "x");
  CHECK(scene.loop.run(read(*scene.socket)) == "text:x");
  TaskGroup tasks(scene.loop);
  std::string result;
  tasks.add([](Task<std::string> reading, std::string& result) -> Task<> {
    result = co_await std::move(reading);
  }(read(*scene.socket), result));
  scene.clock.advance(1s);
  scene.loop.run_until([&] { return !result.empty(); });
  CHECK(result == "late");
  CHECK_FALSE(scene.socket->is_reading());
  scene.send(Opcode::text, "not lost");
  CHECK(scene.read() == "text:not lost");
}

TEST_CASE("a read that is destroyed before it starts does nothing", "[websocket][cancel]") {
  Scene scene;
  {
    const MessageAwaiter unused = scene.socket->read_message();
  }
  CHECK_FALSE(scene.socket->is_reading());
  scene.send(Opcode::text, "x");
  CHECK(scene.read() == "text:x");
}

TEST_CASE("a read that is destroyed while it lets the loop serve others loses no message",
          "[websocket][cancel]") {
  Scene scene;
  scene.peer.send(frame(Role::client, Opcode::text, "one") + frame(Role::client, Opcode::text, "two"));
  CHECK(scene.read() == "text:one");
  std::string all;
  {
    TaskGroup tasks(scene.loop);
    scene.loop.spend(IOLoop::kBudget);
    tasks.add(read_for_ever(*scene.socket, all));
    CHECK(all.empty());  // the budget is spent
    CHECK(tasks.size() == 1);
  }
  CHECK(Live::count == 0);
  CHECK(scene.read() == "text:two");
}

TEST_CASE("wait_closed() may be destroyed, and begun again", "[websocket][cancel]") {
  Scene scene;
  scene.socket->close(1000);
  scene.send(Opcode::text, "dropped");
  start_and_destroy(scene, scene.socket->wait_closed(), Input::expected);
  scene.send(Opcode::close, close_payload(1000));
  scene.loop.run(scene.socket->wait_closed());
  CHECK(scene.socket->close_code() == 1000);
}

TEST_CASE("a read that is destroyed behind a fault is begun again, and ends with the connection",
          "[websocket][cancel]") {
  Scene scene;
  scene.peer.send(frame(Role::client, Opcode::text, "\xff"));
  std::string all;
  start_and_destroy(scene, read_for_ever(*scene.socket, all), Input::expected);
  CHECK(scene.socket->is_closing());
  CHECK(scene.received_to_end().substr(0, 1) == "\x88");
  scene.peer.send("more");
  start_and_destroy(scene, read_for_ever(*scene.socket, all), Input::expected);
  scene.peer.close();
  CHECK(scene.read() == "end");
  CHECK(all.empty());
}

TEST_CASE("a read that nobody begins again behind a close frame: the deadline closes the stream",
          "[websocket][cancel]") {
  Scene scene(Role::client);
  scene.send(Opcode::close, close_payload(1000));
  std::string all;
  start_and_destroy(scene, read_for_ever(*scene.socket, all), Input::expected);
  CHECK_FALSE(scene.socket->is_closed());
  scene.clock.advance(5s);
  scene.loop.run_until([&] { return scene.socket->is_closed(); });
  scene.received_to_end();
}

Task<> write_big(WebSocketConnection& socket) {
  const Live work;
  co_await socket.write_message(std::string(20'000'000, 'x'), MessageType::binary);
}

TEST_CASE("a write that is destroyed while it waits sends its message nevertheless", "[websocket][cancel]") {
  Scene scene;
  start_and_destroy(scene, write_big(*scene.socket));
  scene.socket->write_message("next");
  const std::string bytes = scene.received(20'000'010 + 6);
  CHECK(to_hex(bytes.substr(20'000'010)) == "81046e657874");
}

TEST_CASE("a ping that waits is destroyed without harm", "[websocket][cancel]") {
  Scene scene;
  scene.socket->write_message(std::string(20'000'000, 'x'), MessageType::binary);
  start_and_destroy(scene, [](WebSocketConnection& socket) -> Task<> {
    const Live work;
    co_await socket.ping("p");
  }(*scene.socket));
  const std::string bytes = scene.received(20'000'010 + 3);
  CHECK(to_hex(bytes.substr(20'000'010)) == "890170");
}

TEST_CASE("a task that owns its connection is destroyed at each wait, and the peer sees 1001",
          "[websocket][cancel]") {
  // How many messages the task has handled when it is destroyed.
  for (int handled = 0; handled < 4; ++handled) {
    Scene scene;
    const Role peer = scene.peer_role();
    const int fd = scene.socket->stream().fd();
    for (int i = 0; i < handled; ++i) scene.peer.send(frame(peer, Opcode::text, "x"));
    start_and_destroy(
        scene,
        [](std::unique_ptr<WebSocketConnection> socket) -> Task<> {
          const Live work;
          for (;;) {
            const std::optional<Message> message = co_await socket->read_message();
            if (!message) co_return;
            co_await socket->write_message(*message);
          }
        }(std::move(scene.socket)),
        handled > 0 ? Input::expected : Input::none, fd);
    std::string expected;
    for (int i = 0; i < handled; ++i) expected += "810178";
    CHECK(to_hex(scene.received_to_end()) == expected + "880203e9");
  }
}

TEST_CASE("a connection may outlive its loop", "[websocket][cancel]") {
  for (const bool is_busy : {false, true}) {
    auto [ours, theirs] = squall::testing::tcp_pair();
    std::optional<WebSocketConnection> socket;
    {
      testing::TestLoop loop;
      socket.emplace(IOStream(std::move(ours), loop), Role::server, ConnectionTerms{},
                     ConnectionOptions{.ping_interval = 10s});
      if (is_busy) {
        socket->write_message(std::string(20'000'000, 'x'), MessageType::binary);
        loop.run_turn();
        CHECK(socket->post_message("waits"));
        socket->close(1000);
      }
    }
    socket.reset();
  }
}

}  // namespace
}  // namespace squall::websocket::cancellation_test
