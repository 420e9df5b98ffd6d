#include <squall/websocket/connection/message_receiver.h>

#include <squall/ioloop/sync/event.h>
#include <squall/websocket/connection/connection_handle.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/hex.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::message_receiver_test {
namespace {

using squall::testing::Live;
using squall::testing::to_hex;
using testing::close_payload;
using testing::frame;
using testing::Scene;

// Writes all calls down.
struct Recorder : MessageReceiver {
  Task<> on_message(WebSocketConnection& socket, const Message& message) override {
    all += testing::describe(message) + ' ';
    return handle ? handle(socket, message) : Task<>();
  }
  Task<> on_control(WebSocketConnection& socket, const Message& message) override {
    all += testing::describe(message) + ' ';
    return handle_control ? handle_control(socket, message) : Task<>();
  }
  void on_close(WebSocketConnection& socket) override {
    all += "closed ";
    ++closed;
    if (handle_close) handle_close(socket);
  }

  std::string all;
  int closed = 0;
  std::function<Task<>(WebSocketConnection&, const Message&)> handle;
  std::function<Task<>(WebSocketConnection&, const Message&)> handle_control;
  std::function<void(WebSocketConnection&)> handle_close;
};

// The receiver outlives the connection.
struct Receiving : Recorder, Scene {
  explicit Receiving(Role role = Role::server) : Scene(role) { socket->set_receiver(*this); }
  void wait_for(std::string_view expected) {
    loop.run_until([&] { return all.size() >= expected.size(); });
    CHECK(all == expected);
  }
  // Sends a ping: once it is answered, all bytes before it have been handled.
  void settle() {
    send(Opcode::ping, "settled");
    received(peer_role() == Role::client ? 9 : 13);
  }
};

TEST_CASE("a receiver gets messages, pings and pongs in order, and the end once", "[receiver]") {
  for (const Role role : {Role::server, Role::client}) {
    Receiving scene(role);
    CHECK(scene.socket->is_reading());
    scene.send(Opcode::text, "one");
    scene.send(Opcode::ping, "p");
    scene.send(Opcode::pong, "q");
    scene.peer.send(frame(scene.peer_role(), Opcode::binary, "tw", false));
    scene.peer.send(frame(scene.peer_role(), Opcode::continuation, "o"));
    scene.wait_for("text:one ping:p pong:q binary:two ");
    scene.send(Opcode::close, close_payload(4000, "bye"));
    if (role == Role::client) scene.peer.half_close();
    scene.wait_for("text:one ping:p pong:q binary:two closed ");
    CHECK(scene.socket->close_code() == 4000);
    CHECK(scene.socket->close_reason() == "bye");
    CHECK_FALSE(scene.socket->is_reading());
    for (int i = 0; i < 5; ++i) scene.loop.run_turn();
    CHECK(scene.closed == 1);
  }
}

TEST_CASE("messages that arrived before the receiver was set are delivered from the next turn on",
          "[receiver]") {
  Scene scene;
  Recorder recorder;
  scene.send(Opcode::text, "early");
  scene.send(Opcode::text, "second");
  CHECK(scene.read() == "text:early");
  scene.socket->set_receiver(recorder);
  CHECK(recorder.all.empty());
  scene.loop.run_until([&] { return !recorder.all.empty(); });
  CHECK(recorder.all == "text:second ");
  scene.socket.reset();
}

TEST_CASE("with a receiver nothing can be read, and there is one receiver", "[receiver]") {
  Receiving scene;
  CHECK_THROWS_AS(scene.socket->set_receiver(scene), std::logic_error);
  CHECK_THROWS_AS(scene.read(), std::logic_error);
  Scene reading;
  TaskGroup tasks(reading.loop);
  tasks.add(reading.socket->wait_closed());
  CHECK_THROWS_AS(reading.socket->set_receiver(scene), std::logic_error);
}

TEST_CASE("a receiver may answer at once", "[receiver]") {
  Receiving scene;
  scene.handle = [](WebSocketConnection& socket, const Message& message) {
    socket.write_message(message);
    return Task<>();
  };
  scene.peer.send(frame(Role::client, Opcode::text, "a") + frame(Role::client, Opcode::text, "b"));
  CHECK(to_hex(scene.received(6)) == "810161810162");
}

Task<> wait_and_answer(WebSocketConnection& socket, Message message, Event& may_go_on) {
  const Live work;
  co_await may_go_on.wait();
  co_await socket.write_message(message);
}

TEST_CASE("while a task of the receiver runs, its message is valid and no other one is delivered",
          "[receiver]") {
  Receiving scene;
  Event may_go_on;
  scene.handle = [&](WebSocketConnection& socket, const Message& message) {
    return wait_and_answer(socket, message, may_go_on);
  };
  scene.send(Opcode::text, "first");
  scene.wait_for("text:first ");
  CHECK_FALSE(scene.socket->is_reading());
  scene.send(Opcode::text, "next");
  scene.send(Opcode::close, close_payload(1000));
  for (int i = 0; i < 10; ++i) scene.loop.run_turn();
  CHECK(scene.all == "text:first ");
  may_go_on.set();
  CHECK(scene.received(13) ==
        "\x81\x05"
        "first"
        "\x81\x04"
        "next");
  scene.wait_for("text:first text:next closed ");
  CHECK(Live::count == 0);
}

Task<> answer(WebSocketConnection& socket, Message message) { co_await socket.write_message(message); }

TEST_CASE("the message of a task that waits does not change while other connections receive", "[receiver]") {
  Receiving scene;
  Receiving other;
  Event may_go_on;
  scene.handle = [&](WebSocketConnection& socket, const Message& message) {
    return wait_and_answer(socket, message, may_go_on);
  };
  // The first one waits in the thread's receive buffer, the second one in memory of its own.
  for (const std::string text : {"first", "again"}) {
    scene.all.clear();
    scene.send(Opcode::text, text);
    scene.wait_for("text:" + text + ' ');
    other.all.clear();
    other.send(Opcode::text, "other");
    other.wait_for("text:other ");
    may_go_on.set();
    CHECK(scene.received(7) == "\x81\x05" + text);
    may_go_on.clear();
  }
}

TEST_CASE("messages that wait for a later turn do not change while other connections receive", "[receiver]") {
  constexpr int kMessages = 5000;  // more than one turn of the loop handles
  Receiving scene;
  Receiving other;
  std::string expected;
  std::string bytes;
  for (int i = 0; i < kMessages; ++i) {
    bytes += frame(Role::client, Opcode::text, std::to_string(i));
    expected += "text:" + std::to_string(i) + ' ';
  }
  scene.peer.send(bytes);
  while (scene.all.size() < expected.size()) {
    scene.loop.run_turn();
    other.all.clear();
    other.send(Opcode::text, std::string(2000, 'x'));
    other.wait_for("text:" + std::string(2000, 'x') + ' ');
  }
  CHECK(scene.all == expected);
}

TEST_CASE("a task that need not wait is followed by the next message in the same turn", "[receiver]") {
  Receiving scene;
  scene.handle = [](WebSocketConnection& socket, const Message& message) { return answer(socket, message); };
  std::string bytes;
  for (int i = 0; i < 10; ++i) bytes += frame(Role::client, Opcode::text, std::to_string(i));
  scene.peer.send(bytes);
  scene.loop.run_until([&] { return !scene.all.empty(); });
  CHECK(scene.all == "text:0 text:1 text:2 text:3 text:4 text:5 text:6 text:7 text:8 text:9 ");
}

TEST_CASE("a receiver with many small messages lets the loop serve others", "[receiver]") {
  Receiving scene;
  constexpr int kMessages = 3 * IOLoop::kBudget;
  std::string bytes;
  for (int i = 0; i < kMessages; ++i) bytes += frame(Role::client, Opcode::binary, "");
  int received = 0;
  int most = 0;
  int in_turn = 0;
  scene.handle = [&](WebSocketConnection&, const Message&) {
    ++received;
    most = std::max(most, ++in_turn);
    return Task<>();
  };
  scene.peer.send(bytes);
  scene.loop.run_until([&] {
    in_turn = 0;
    return received == kMessages;
  });
  CHECK(most <= IOLoop::kBudget + 1);
}

TEST_CASE("an exception of a receiver or its task is logged, and closes the connection with 1011",
          "[receiver]") {
  for (const bool is_task : {false, true}) {
    CAPTURE(is_task);
    Receiving scene;
    scene.handle = [is_task](WebSocketConnection&, const Message&) -> Task<> {
      if (!is_task) throw std::runtime_error("broken handler");
      return []() -> Task<> {
        co_await moment();
        throw std::runtime_error("broken handler");
      }();
    };
    scene.send(Opcode::text, "x");
    scene.send(Opcode::text, "never seen");
    CHECK(to_hex(scene.received(4)) == "881003f3");
    scene.loop.log.expect("Uncaught exception for a message of the WebSocket 127.0.0.1");
    scene.peer.half_close();
    scene.wait_for("text:x closed ");
  }
}

TEST_CASE("a receiver that sends on a closed connection is not logged", "[receiver]") {
  Receiving scene;
  scene.handle = [](WebSocketConnection& socket, const Message& message) {
    socket.close(1000);
    socket.write_message(message);
    return Task<>();
  };
  scene.send(Opcode::text, "x");
  CHECK(to_hex(scene.received(4)) == "880203e8");
  scene.peer.half_close();
  scene.wait_for("text:x closed ");
}

TEST_CASE("a receiver that sends while the connection is closing gets the messages behind it", "[receiver]") {
  Receiving scene;
  scene.handle = [](WebSocketConnection& socket, const Message& message) {
    socket.write_message(message);
    return Task<>();
  };
  scene.socket->close(1001);
  scene.send(Opcode::text, "one");
  scene.send(Opcode::text, "two");
  scene.send(Opcode::close, close_payload(4000));
  scene.wait_for("text:one text:two closed ");
  CHECK(scene.socket->close_code() == 4000);
  CHECK(to_hex(scene.received_to_end()) == "880203e9");
}

TEST_CASE("an exception behind the end is logged", "[receiver]") {
  Receiving scene;
  scene.handle_close = [](WebSocketConnection&) { throw std::runtime_error("broken handler"); };
  scene.peer.close();
  scene.wait_for("closed ");
  scene.loop.log.expect("Uncaught exception behind the end of a WebSocket: broken handler");
}

TEST_CASE("a receiver may destroy the connection in each of its functions", "[receiver]") {
  const auto destroy = [](Receiving& scene) {
    return [&scene](WebSocketConnection&, const Message&) {
      scene.socket.reset();
      return Task<>();
    };
  };
  Receiving scene;
  scene.handle = destroy(scene);
  scene.peer.send(frame(Role::client, Opcode::text, "x") + frame(Role::client, Opcode::text, "y"));
  scene.wait_for("text:x ");
  CHECK(to_hex(scene.received_to_end()) == "880203e9");
  Receiving pinged;
  pinged.handle_control = destroy(pinged);
  pinged.peer.send(frame(Role::client, Opcode::ping, "") + frame(Role::client, Opcode::text, "y"));
  pinged.wait_for("ping: ");
  Receiving ended;
  ended.handle_close = [&ended](WebSocketConnection&) { ended.socket.reset(); };
  ended.peer.close();
  ended.wait_for("closed ");
  CHECK(ended.socket == nullptr);
  Receiving throwing;
  throwing.handle = [&throwing](WebSocketConnection&, const Message&) -> Task<> {
    throwing.socket.reset();
    throw std::runtime_error("behind the end");
  };
  throwing.send(Opcode::text, "x");
  throwing.wait_for("text:x ");
}

TEST_CASE("destroying the connection destroys the task of its receiver", "[receiver][cancel]") {
  Receiving scene;
  Event never;
  scene.handle = [&](WebSocketConnection& socket, const Message& message) {
    return wait_and_answer(socket, message, never);
  };
  scene.send(Opcode::text, "x");
  scene.wait_for("text:x ");
  CHECK(Live::count == 1);
  scene.socket.reset();
  CHECK(Live::count == 0);
  CHECK(to_hex(scene.received_to_end()) == "880203e9");
  CHECK(scene.closed == 0);
}

TEST_CASE("a local of the destroyed task may close the connection", "[receiver][cancel]") {
  struct Closing {
    explicit Closing(WebSocketConnection& socket) : socket(socket) {}
    ~Closing() {
      socket.close(4001);
      handle = socket.handle();
    }
    Closing(const Closing&) = delete;
    Closing& operator=(const Closing&) = delete;
    WebSocketConnection& socket;
    ConnectionHandle handle;
  };
  Receiving scene;
  Event never;
  const auto wait = [](WebSocketConnection& socket, Event& never) -> Task<> {
    const Closing closing(socket);
    co_await never.wait();
  };
  scene.handle = [&](WebSocketConnection& socket, const Message&) { return wait(socket, never); };
  scene.send(Opcode::text, "go");
  scene.wait_for("text:go ");
  scene.socket.reset();
  CHECK(to_hex(scene.received_to_end()) == "880203e9");
}

TEST_CASE("a receiver learns once of a reset, a fault, the deadline and drop()", "[receiver]") {
  Receiving reset;
  reset.peer.reset();
  reset.wait_for("closed ");
  CHECK(reset.socket->close_code() == std::nullopt);
  Receiving fault;
  fault.send(Opcode::text, "\xff");
  CHECK(to_hex(fault.received(4)).substr(4) == "03ef");
  fault.peer.close();
  fault.wait_for("closed ");
  Receiving silent;
  silent.socket->close(1000);
  CHECK(to_hex(silent.received(4)) == "880203e8");
  silent.clock.advance(std::chrono::seconds(5));
  silent.wait_for("closed ");
  Receiving aborted;
  aborted.settle();
  aborted.socket->drop();
  CHECK(aborted.closed == 0);  // from the loop
  aborted.wait_for("ping:settled closed ");
  CHECK(aborted.received_to_end().empty());
}

}  // namespace
}  // namespace squall::websocket::message_receiver_test
