// A connection whose messages go to a function.

#include <squall/websocket/client/callback_connection.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/death.h"
#include "support/hex.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::callback_connection_test {
namespace {

using squall::testing::Live;
using squall::testing::to_hex;
using testing::close_payload;
using testing::describe;
using testing::frame;
using testing::Scene;

Task<> join(CallbackConnection& connection) { co_await connection.join(); }

std::string server_frame(std::string_view text) { return frame(Role::server, Opcode::text, text); }

TEST_CASE("the function gets every message, and at the end once none (WSK-86)", "[callback_connection]") {
  Scene scene(Role::client);
  scene.peer.send(server_frame("one") + server_frame("two") + frame(Role::server, Opcode::binary, "three") +
                  frame(Role::server, Opcode::close, close_payload(1000)));
  std::string got;
  CallbackConnection connection(std::move(scene.socket),
                                [&got](std::optional<Message> message) { got += describe(message) + ' '; });
  CHECK(got.empty());
  scene.loop.run_until([&] { return connection->is_closing(); });
  scene.peer.close();
  scene.loop.run(join(connection));
  CHECK(got == "text:one text:two binary:three end ");
  CHECK(connection.has_ended());
  CHECK(connection->close_code() == 1000);
}

TEST_CASE("nothing can be read beside the function", "[callback_connection]") {
  Scene scene(Role::client);
  CallbackConnection connection(std::move(scene.socket), [](std::optional<Message>) {});
  scene.loop.run_turn();
  CHECK_THROWS_AS(scene.loop.run(connection->wait_closed()), std::logic_error);
}

TEST_CASE("while the function's task runs nothing is received: back-pressure", "[callback_connection]") {
  struct Slow {
    static Task<> take(std::optional<Message> message, Event& go, std::string& got) {
      got += describe(message) + '(';
      co_await go.wait();
      go.clear();
      got += describe(message) + ") ";  // the message is valid until the task ends
    }
  };
  Scene scene(Role::client);
  Event go;
  std::string got;
  CallbackConnection connection(std::move(scene.socket),
                                [&](std::optional<Message> message) { return Slow::take(message, go, got); });
  scene.peer.send(server_frame("one") + server_frame("two"));
  scene.loop.run_until([&] { return !got.empty(); });
  for (int i = 0; i < 5; ++i) scene.loop.run_turn();
  CHECK(got == "text:one(");
  CHECK_FALSE(connection->is_reading());
  go.set();
  scene.loop.run_until([&] { return got.ends_with("text:two("); });
  CHECK(got == "text:one(text:one) text:two(");
  go.set();
  scene.peer.close();
  scene.loop.run_until([&] { return got.ends_with("end("); });
  CHECK_FALSE(connection.has_ended());
  go.set();
  scene.loop.run(join(connection));
  CHECK(got.ends_with("end(end) "));
}

TEST_CASE("a function that throws closes the connection with 1011, and gets only the end",
          "[callback_connection]") {
  for (const bool waits : {false, true}) {
    CAPTURE(waits);
    struct Throwing {
      static Task<> take(std::optional<Message> message, std::string& got) {
        co_await moment();
        got += describe(message) + ' ';
        throw std::runtime_error("the function failed");
      }
    };
    Scene scene(Role::client);
    std::string got;
    MessageCallback callback;
    if (waits) {
      callback = [&got](std::optional<Message> message) { return Throwing::take(message, got); };
    } else {
      callback = [&got](std::optional<Message> message) {
        got += describe(message) + ' ';
        throw std::runtime_error("the function failed");
      };
    }
    CallbackConnection connection(std::move(scene.socket), std::move(callback));
    scene.peer.send(server_frame("one") + server_frame("two"));
    CHECK(scene.received(8).substr(0, 2) == "\x88\x82");
    scene.peer.close();
    scene.loop.run(join(connection));
    CHECK(got == "text:one end ");
    CHECK(scene.loop.log.expect_any("Uncaught exception in a function for messages: the function failed") ==
          2);
  }
}

TEST_CASE("the function may close the connection", "[callback_connection]") {
  Scene scene(Role::client);
  CallbackConnection* self = nullptr;
  std::string got;
  CallbackConnection connection(std::move(scene.socket), [&](std::optional<Message> message) {
    got += describe(message) + ' ';
    if (message) (*self)->close(4000, "enough");
  });
  self = &connection;
  scene.peer.send(server_frame("one"));
  CHECK(scene.received(14).substr(0, 2) == "\x88\x88");
  scene.peer.send(server_frame("in flight") + frame(Role::server, Opcode::close, close_payload(4000)));
  scene.peer.close();
  scene.loop.run(join(connection));
  CHECK(got == "text:one text:in flight end ");
}

TEST_CASE("destroying the object destroys the function's task, and sends 1001", "[callback_connection]") {
  struct Waiting {
    static Task<> take(std::optional<Message>) {
      const Live work;
      Event never;
      co_await never.wait();
    }
  };
  Scene scene(Role::server);
  {
    CallbackConnection connection(std::move(scene.socket),
                                  [](std::optional<Message> message) { return Waiting::take(message); });
    scene.peer.send(frame(Role::client, Opcode::text, "one"));
    scene.loop.run_until([] { return Live::count == 1; });
  }
  CHECK(Live::count == 0);
  CHECK(to_hex(scene.received_to_end()) == "880203e9");
}

TEST_CASE("the object may be destroyed before it has begun to read, and while it reads",
          "[callback_connection]") {
  for (int turns = 0; turns < 3; ++turns) {
    Scene scene(Role::server);
    bool called = false;
    {
      CallbackConnection connection(std::move(scene.socket),
                                    [&called](std::optional<Message>) { called = true; });
      for (int i = 0; i < turns; ++i) scene.loop.run_turn();
    }
    CHECK_FALSE(called);
    CHECK(to_hex(scene.received_to_end()) == "880203e9");
  }
}

TEST_CASE("a function that destroys its object ends the program with a message", "[callback_connection]") {
  const std::string said = squall::testing::last_words_of([] {
    Scene scene(Role::client);
    std::optional<CallbackConnection> connection;
    connection.emplace(std::move(scene.socket),
                       [&connection](std::optional<Message>) { connection.reset(); });
    scene.peer.send(server_frame("one"));
    scene.loop.run_until([] { return false; });
  });
  CHECK(said == "A function for messages has destroyed its CallbackConnection: call close() instead\n");
}

TEST_CASE("a null connection and an empty function are refused", "[callback_connection]") {
  Scene scene(Role::client);
  CHECK_THROWS_AS(CallbackConnection(nullptr, [](std::optional<Message>) {}), std::invalid_argument);
  CHECK_THROWS_AS(CallbackConnection(std::move(scene.socket), MessageCallback()), std::invalid_argument);
}

}  // namespace
}  // namespace squall::websocket::callback_connection_test
