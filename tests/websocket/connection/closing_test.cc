// How a connection ends: close frames, faults of the peer, deadlines, the end of the stream.

#include <squall/websocket/codec/deflate.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/hex.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::closing_test {
namespace {

using namespace std::chrono_literals;
using squall::testing::from_hex;
using squall::testing::throws;
using squall::testing::to_hex;
using testing::close_payload;
using testing::frame;
using testing::Scene;

// Sends a message of the program.
Task<> write(WebSocketConnection& socket, std::string_view text) { co_await socket.write_message(text); }

bool refuses_writes(Scene& scene) {
  return scene.loop.run(throws<WebSocketClosedError>(write(*scene.socket, "x")));
}

TEST_CASE("a server answers a close frame with its code and without a reason, and closes (WSK-48)",
          "[websocket][close]") {
  Scene scene;
  scene.send(Opcode::text, "last");
  scene.peer.send(frame(Role::client, Opcode::close, close_payload(1001, "going")) +
                  frame(Role::client, Opcode::text, "dropped"));
  CHECK(scene.read() == "text:last");
  CHECK_FALSE(scene.socket->is_closing());
  CHECK(scene.read() == "end");
  CHECK(scene.socket->is_closed());
  CHECK(scene.socket->close_code() == 1001);
  CHECK(scene.socket->close_reason() == "going");
  CHECK_FALSE(scene.socket->fault());
  CHECK(to_hex(scene.received_to_end()) == "880203e9");
  CHECK(scene.read() == "end");
  CHECK(refuses_writes(scene));
  CHECK_FALSE(scene.socket->post_message("x"));
  scene.socket->close(1000);
  CHECK_THROWS_AS(scene.socket->ping(), WebSocketClosedError);
}

TEST_CASE("a close frame without a code is answered without one", "[websocket][close]") {
  Scene scene;
  scene.send(Opcode::close, "");
  CHECK(scene.read() == "end");
  CHECK(scene.socket->close_code() == std::nullopt);
  CHECK(to_hex(scene.received_to_end()) == "8800");
}

TEST_CASE("a client answers a close frame and waits for the server to close", "[websocket][close]") {
  Scene scene(Role::client);
  std::string end;
  TaskGroup tasks(scene.loop);
  tasks.add([](WebSocketConnection& socket, std::string& end) -> Task<> {
    end = co_await testing::read_all(socket);
  }(*scene.socket, end));
  scene.send(Opcode::close, close_payload(1000));
  CHECK(to_hex(scene.received(8)).starts_with("8882"));
  CHECK(scene.socket->is_closing());
  CHECK_FALSE(scene.socket->is_closed());
  CHECK(end.empty());
  scene.peer.close();
  scene.loop.run_until([&] { return !end.empty(); });
  CHECK(scene.socket->is_closed());
  CHECK(scene.socket->close_code() == 1000);
}

TEST_CASE("a client whose server does not close ends at the deadline", "[websocket][close]") {
  Scene scene(Role::client);
  std::string end;
  TaskGroup tasks(scene.loop);
  tasks.add([](WebSocketConnection& socket, std::string& end) -> Task<> {
    end = co_await testing::read_all(socket);
  }(*scene.socket, end));
  scene.send(Opcode::close, close_payload(1000));
  scene.received(8);
  scene.clock.advance(4s);
  for (int i = 0; i < 5; ++i) scene.loop.run_turn();
  CHECK(end.empty());
  scene.clock.advance(1s);
  scene.loop.run_until([&] { return !end.empty(); });
  CHECK(end == "end ");
  CHECK(scene.socket->close_code() == 1000);
  CHECK(scene.received_to_end().empty());
}

TEST_CASE(
    "close() sends one frame; messages in flight still arrive, and then the peer's code (WSK-55, WSK-57)",
    "[websocket][close]") {
  Scene scene;
  scene.socket->write_message("before");
  scene.socket->close(4000, "why");
  scene.socket->close(4001, "again");
  CHECK(scene.socket->is_closing());
  CHECK(refuses_writes(scene));
  scene.send(Opcode::text, "in flight");
  scene.send(Opcode::ping, "not answered");
  CHECK(scene.read() == "text:in flight");
  scene.send(Opcode::close, close_payload(4000));
  CHECK(scene.read() == "end");
  CHECK(scene.socket->close_code() == 4000);
  CHECK(scene.socket->close_reason().empty());
  CHECK(to_hex(scene.received_to_end()) ==
        "81066265666f7265"
        "88050fa0776879");
}

TEST_CASE("the deadline counts from the first close frame, and ends with the connection",
          "[websocket][close]") {
  Scene scene(Role::client);
  scene.socket->close(1000);
  std::string end;
  TaskGroup tasks(scene.loop);
  tasks.add([](WebSocketConnection& socket, std::string& end) -> Task<> {
    end = co_await testing::read_all(socket);
  }(*scene.socket, end));
  scene.received(8);
  scene.clock.advance(4s);
  scene.send(Opcode::close, close_payload(1000));
  scene.loop.run_until([&] { return scene.socket->close_code().has_value(); });
  CHECK(end.empty());
  scene.clock.advance(1s);
  scene.loop.run_until([&] { return !end.empty(); });
  scene.socket.reset();
  scene.clock.advance(60s);
  scene.loop.run_turn();
  scene.received_to_end();
}

TEST_CASE("close() without a code has no payload, and a reason alone has 1000 (WSK-55)",
          "[websocket][close]") {
  Scene bare;
  bare.socket->close();
  CHECK(to_hex(bare.received(2)) == "8800");
  Scene reason;
  reason.socket->close(std::nullopt, "bye");
  CHECK(to_hex(reason.received(7)) == "880503e8627965");
}

TEST_CASE(
    "close() refuses codes that may not be sent, and long reasons, and the connection stays open (WSK-59)",
    "[websocket][close]") {
  Scene scene;
  CHECK_THROWS_AS(scene.socket->close(1005), std::invalid_argument);
  CHECK_THROWS_AS(scene.socket->close(1006), std::invalid_argument);
  CHECK_THROWS_AS(scene.socket->close(999), std::invalid_argument);
  CHECK_THROWS_AS(scene.socket->close(1000, std::string(124, 'x')), std::invalid_argument);
  CHECK_THROWS_AS(scene.socket->close(1000, "\xff"), std::invalid_argument);
  CHECK_FALSE(scene.socket->is_closing());
  scene.socket->write_message("open");
  CHECK(to_hex(scene.received(6)) == "81046f70656e");
}

TEST_CASE("a peer that does not answer a close frame is cut off at the deadline, read or not (WSK-56)",
          "[websocket][close]") {
  for (const bool reads : {true, false}) {
    Scene scene(Role::server, {.close_timeout = 2s});
    scene.socket->close(1000);
    std::string end;
    TaskGroup tasks(scene.loop);
    if (reads) {
      tasks.add([](WebSocketConnection& socket, std::string& end) -> Task<> {
        end = co_await testing::read_all(socket);
      }(*scene.socket, end));
    }
    CHECK(to_hex(scene.received(4)) == "880203e8");
    CHECK_FALSE(scene.socket->is_closed());
    scene.clock.advance(2s);
    scene.loop.run_until([&] { return scene.socket->is_closed() && (!reads || !end.empty()); });
    CHECK(scene.received_to_end().empty());
    CHECK(scene.socket->close_code() == std::nullopt);
    CHECK(scene.read() == "end");
  }
}

TEST_CASE("the end of the stream, and a reset, end the connection without a code (WSK-23)",
          "[websocket][close]") {
  for (const bool is_reset : {false, true}) {
    Scene scene;
    scene.send(Opcode::text, "last");
    CHECK(scene.read() == "text:last");
    is_reset ? scene.peer.reset() : scene.peer.close();
    CHECK(scene.read() == "end");
    CHECK(scene.socket->is_closed());
    CHECK(scene.socket->close_code() == std::nullopt);
    CHECK_FALSE(scene.socket->fault());
    CHECK(refuses_writes(scene));
  }
}

TEST_CASE("the end of the stream within a message or a frame is the end", "[websocket][close]") {
  for (const std::string& cut : {frame(Role::client, Opcode::text, "begun", false),
                                 frame(Role::client, Opcode::text, "begun").substr(0, 8),
                                 frame(Role::client, Opcode::text, "begun").substr(0, 1)}) {
    Scene scene;
    scene.peer.send(cut);
    scene.peer.half_close();
    CHECK(scene.read() == "end");
    CHECK(scene.socket->is_closed());
  }
}

// The close frame that a server sends for `bytes`, in hexadecimal digits. The peer closes when it sees the
// end.
std::string answer_to(const std::string& bytes, const ConnectionOptions& options = {},
                      ConnectionTerms terms = {}) {
  Scene scene(Role::server, options, std::move(terms));
  scene.peer.send(bytes);
  std::string end;
  TaskGroup tasks(scene.loop);
  tasks.add([](WebSocketConnection& socket, std::string& end) -> Task<> {
    end = co_await testing::read_all(socket);
  }(*scene.socket, end));
  const std::string answer = scene.received_to_end();
  CHECK(scene.socket->is_closing());
  CHECK(end.empty());  // the server reads what the peer still sends
  scene.peer.send(std::string(1000, 'x'));
  scene.peer.close();
  scene.loop.run_until([&] { return !end.empty(); });
  CHECK(end == "end ");
  CHECK(scene.socket->close_code() == std::nullopt);
  CHECK(scene.socket->fault().code != 0);
  return to_hex(answer.substr(0, 4));
}

TEST_CASE(
    "a fault of the peer is answered with a close frame of its code, behind which the stream ends (WSK-50)",
    "[websocket][close]") {
  const std::string key = "37fa213d";
  CHECK(answer_to(from_hex("c180" + key)).substr(4) == "03ea");  // RSV1 without compression
  CHECK(answer_to(from_hex("8380" + key)).substr(4) == "03ea");  // an unknown opcode
  CHECK(answer_to(from_hex("0980" + key)).substr(4) == "03ea");  // a ping in fragments
  CHECK(answer_to(from_hex("8080" + key)).substr(4) == "03ea");  // a continuation of nothing
  CHECK(answer_to(frame(Role::client, Opcode::close, "x")).substr(4) == "03ea");
  CHECK(answer_to(frame(Role::client, Opcode::close, from_hex("03ed"))).substr(4) == "03ea");  // 1005
  CHECK(answer_to(frame(Role::client, Opcode::text, "\xff")).substr(4) == "03ef");
  const std::string whole =
      answer_to(frame(Role::client, Opcode::text, std::string(101, 'x')), {.max_message_size = 100});
  CHECK(whole.substr(4) == "03f1");
  const std::string parts = answer_to(frame(Role::client, Opcode::text, std::string(60, 'x'), false) +
                                          frame(Role::client, Opcode::continuation, std::string(41, 'x')),
                                      {.max_message_size = 100});
  CHECK(parts.substr(4) == "03f1");
  CHECK(answer_to(from_hex("82ff8000000000000000" + key)).substr(4) == "03ea");  // the top bit of the size
}

TEST_CASE("corrupt compressed data is 1007, and what grows beyond the limit 1009 (WSK-65, WSK-66)",
          "[websocket][close]") {
  const ConnectionTerms terms{.subprotocol = {}, .deflate = DeflateTerms{}, .compression = {}};
  CHECK(answer_to(frame(Role::client, Opcode::text, from_hex("ffffff"), true, true), {}, terms).substr(4) ==
        "03ef");
  MessageCompressor compressor(DeflateWindow{}, DeflateOptions{});
  std::string bomb;
  compressor.compress(std::string(1'000'000, 'x'), Part::last, bomb);
  CHECK(bomb.size() < 2000);
  CHECK(answer_to(frame(Role::client, Opcode::text, bomb, true, true), {.max_message_size = 100'000}, terms)
            .substr(4) == "03f1");
}

TEST_CASE("a peer that goes on sending after its fault is cut off at the deadline", "[websocket][close]") {
  Scene scene;
  scene.peer.send(from_hex("ffff"));
  std::string end;
  TaskGroup tasks(scene.loop);
  tasks.add([](WebSocketConnection& socket, std::string& end) -> Task<> {
    end = co_await testing::read_all(socket);
  }(*scene.socket, end));
  CHECK(scene.received_to_end().substr(0, 1) == "\x88");
  for (int i = 0; i < 10; ++i) {
    scene.peer.send(std::string(1000, 'x'));
    scene.loop.run_turn();
  }
  CHECK(end.empty());
  scene.clock.advance(5s);
  scene.loop.run_until([&] { return !end.empty(); });
  CHECK(scene.socket->is_closed());
}

TEST_CASE("a fault after close() sends no second close frame", "[websocket][close]") {
  Scene scene;
  scene.socket->close(1000);
  scene.peer.send(from_hex("ffff"));
  scene.peer.half_close();
  CHECK(scene.read() == "end");
  CHECK(to_hex(scene.received_to_end()) == "880203e8");
  CHECK(scene.socket->fault().code == 1002);
}

TEST_CASE("destroying an open connection sends 1001, and a closing one nothing more", "[websocket][close]") {
  Scene open;
  open.socket->write_message("x");
  open.socket.reset();
  CHECK(to_hex(open.received_to_end()) == "810178880203e9");
  Scene closing;
  closing.socket->close(1000);
  closing.socket.reset();
  CHECK(to_hex(closing.received_to_end()) == "880203e8");
}

TEST_CASE("a write that waits while the connection ends throws WebSocketClosedError", "[websocket][close]") {
  Scene scene(Role::server, {.close_timeout = 1s});
  bool has_thrown = false;
  TaskGroup tasks(scene.loop);
  const std::string big(20'000'000, 'x');
  tasks.add([](WebSocketConnection& socket, const std::string& big, bool& has_thrown) -> Task<> {
    has_thrown = co_await throws<WebSocketClosedError>(write(socket, big));
  }(*scene.socket, big, has_thrown));
  scene.loop.run_turn();
  CHECK_FALSE(has_thrown);
  scene.socket->close(1000);
  scene.loop.run_turn();
  CHECK_FALSE(has_thrown);  // the message and the close frame are still being sent
  scene.clock.advance(1s);
  scene.loop.run_until([&] { return has_thrown; });
}

}  // namespace
}  // namespace squall::websocket::closing_test
