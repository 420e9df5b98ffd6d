// The messages of a WebSocketHandler: functions that send and close, and the order of the hooks.

#include <squall/websocket/handler/websocket_handler.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "websocket/handler/socket_scene.h"

namespace squall::websocket::handler_messages_test {
namespace {

using handler_testing::handshake;
using handler_testing::SocketClient;
using handler_testing::SocketFixture;
using handler_testing::Steps;
using web::url;

// The steps that the handlers below record.
Steps g_steps;

void step(std::string text) { g_steps.push_back(std::move(text)); }

void run_to(SocketFixture& fixture, const std::string& last) {
  fixture.loop.run_until([&] { return !g_steps.empty() && g_steps.back() == last; });
}

class TextSocket : public WebSocketHandler {
 public:
  void on_message(std::string_view text) { write_message(text); }
  void on_close() { step("on_close"); }
};

TEST_CASE("a binary message for a class that takes only text closes the connection with 1003",
          "[websocket_handler]") {
  SocketFixture fixture({url<TextSocket>("/")});
  g_steps.clear();
  SocketClient client(fixture);
  client.say("Hello");
  client.send(Opcode::binary, "x");
  client.say("dropped");
  CHECK(client.next() == "text:Hello");
  CHECK(client.next() == "close:1003 only text messages are taken");
  client.peer().close();
  run_to(fixture, "on_close");
}

// As a JSON library's value has it.
struct Value {
  std::string text;
  std::string dump() const { return text; }
};

class JSONSocket : public WebSocketHandler {
 public:
  void on_message(std::string_view) {
    write_message(Value{R"({"a":1})"});
    post_message(Value{"[1,2]"});
    post_message("posted");
    write_message("bytes", MessageType::binary);
    ping("x");
    CHECK_THROWS_AS(ping(std::string(126, 'x')), std::invalid_argument);
    set_nodelay(true);
    CHECK_FALSE(is_closing());
    close({}, "no code");
    CHECK(is_closing());
    close(4000, "ignored");
    CHECK_THROWS_AS(write_message("late"), WebSocketClosedError);
    CHECK_THROWS_AS(ping(), WebSocketClosedError);
    CHECK_FALSE(post_message("late"));
  }
  void on_close() {
    step("on_close " + (close_code() ? std::to_string(*close_code()) : "none") + ' ' + close_reason());
  }
};

TEST_CASE("the functions that send and close (WSK-24 to WSK-27, WSK-31, WSK-55 to WSK-57)",
          "[websocket_handler]") {
  SocketFixture fixture({url<JSONSocket>("/")});
  g_steps.clear();
  SocketClient client(fixture);
  client.say("go");
  CHECK(client.next() == R"(text:{"a":1})");
  CHECK(client.next() == "text:[1,2]");
  CHECK(client.next() == "text:posted");
  CHECK(client.next() == "binary:bytes");
  CHECK(client.next() == "ping:x");
  CHECK(client.next() == "close:1000 no code");
  client.send_close(1000, "you too");
  CHECK(client.next() == "end");
  run_to(fixture, "on_close 1000 you too");
}

class CloseSocket : public WebSocketHandler {
 public:
  void on_message(std::string_view text) {
    step("got " + std::string(text));
    if (text == "close") close();
    if (text == "long") {
      try {
        close(1000, std::string(124, 'x'));
      } catch (const std::invalid_argument&) {
        step("too long");
      }
    }
  }
  void on_close() { step(close_code() ? "on_close" : "on_close none"); }
};

TEST_CASE("messages in flight are delivered behind close(), whose payload may be empty (WSK-55, WSK-57)",
          "[websocket_handler]") {
  SocketFixture fixture({url<CloseSocket>("/")});
  g_steps.clear();
  SocketClient client(fixture);
  client.say("close");
  CHECK(client.next() == "close:none");
  client.say("in flight");
  client.send(Opcode::close, "");
  CHECK(client.next() == "end");
  run_to(fixture, "on_close none");
  CHECK(g_steps == Steps{"got close", "got in flight", "on_close none"});
}

TEST_CASE("code and reason fit into 125 bytes (WSK-59)", "[websocket_handler]") {
  SocketFixture fixture({url<CloseSocket>("/")});
  g_steps.clear();
  SocketClient client(fixture);
  client.say("long");
  run_to(fixture, "too long");
}

class SlowSocket : public WebSocketHandler {
 public:
  static inline Event* go = nullptr;
  Task<> on_message(std::string_view text) {
    const std::string kept(text);
    step("begin " + kept);
    co_await go->wait();
    step(text == kept ? "end " + kept : "the view has changed");
  }
};

TEST_CASE("the next message is not read before on_message() has ended (WSK-21)", "[websocket_handler]") {
  SocketFixture fixture({url<SlowSocket>("/")});
  g_steps.clear();
  Event go;
  SlowSocket::go = &go;
  SocketClient client(fixture);
  client.say("one");
  client.say("two");
  run_to(fixture, "begin one");
  for (int i = 0; i < 20; ++i) fixture.loop.run_turn();
  CHECK(g_steps == Steps{"begin one"});
  go.set();
  run_to(fixture, "end two");
  CHECK(g_steps == Steps{"begin one", "end one", "begin two", "end two"});
}

class EchoSocket : public WebSocketHandler {
 public:
  void on_message(const Message& message) { write_message(message); }
};

Task<> talk(std::uint16_t port, std::string& got) {
  TCPClient connector;
  IOStream stream = co_await connector.connect("127.0.0.1", port);
  co_await stream.write(handshake());
  const ReadView head = co_await stream.read_until("\r\n\r\n", 4096);
  got = head.substr(9, 3);
  WebSocketConnection client(std::move(stream), Role::client);
  const std::string large(300'000, 'l');
  for (int i = 0; i < 3; ++i) {
    co_await client.write_message(large);
    const std::optional<Message> message = co_await client.read_message();
    if (message && message->data == large) got += " same";
  }
  client.close(1000);
  co_await client.wait_closed();
  got += ' ' + std::to_string(client.close_code().value_or(0));
}

TEST_CASE("a WebSocketConnection as the client talks with a handler", "[websocket_handler]") {
  SocketFixture fixture({url<EchoSocket>("/")});
  std::string got;
  fixture.loop.run(talk(fixture.server.port(), got));
  CHECK(got == "101 same same same 1000");
}

}  // namespace
}  // namespace squall::websocket::handler_messages_test
