// Handlers whose on_message() reads messages in pieces.

#include <squall/websocket/connection/message_stream.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "websocket/handler/socket_scene.h"

namespace squall::websocket::streaming_test {
namespace {

using namespace std::chrono_literals;
using handler_testing::frame;
using handler_testing::SocketClient;
using handler_testing::SocketFixture;
using squall::testing::Live;
using web::url;

int g_closed = 0;  // calls of on_close()

// Answers with the pieces of a message, and their end; `leave` ends the hook early, `throw` by an exception.
class PieceSocket : public WebSocketHandler {
 public:
  ConnectionOptions get_connection_options() override {
    ConnectionOptions options = WebSocketHandler::get_connection_options();
    options.pieces.max_size = 1000;
    options.max_message_size = 10;
    return options;
  }
  Task<> on_message(MessageStream message) {
    const Live live;
    write_message(message.is_text() ? "text" : "binary");
    for (;;) {
      const std::string_view piece = co_await message.read();
      if (piece.empty()) break;
      write_message(piece);
      if (piece == "leave") co_return;
      if (piece == "throw") throw std::runtime_error("broken hook");
    }
    write_message("end");
  }
  void on_close() { ++g_closed; }
};
std::vector<web::Rule> routes() { return {url<PieceSocket>("/")}; }

std::string begin(std::string_view payload) { return frame(Role::client, Opcode::text, payload, false); }
std::string more(std::string_view payload, bool is_last = false) {
  return frame(Role::client, Opcode::continuation, payload, is_last);
}

TEST_CASE("a hook reads a message in pieces, which may be larger than max_message_size", "[handler]") {
  SocketFixture fixture(routes());
  g_closed = 0;
  SocketClient client(fixture);
  client.peer().send(begin("first piece"));
  CHECK(client.next() == "text:text");
  CHECK(client.next() == "text:first piece");
  client.send(Opcode::ping, "p");
  CHECK(client.next() == "pong:p");
  client.peer().send(more("second", true) + frame(Role::client, Opcode::binary, "x"));
  CHECK(client.next() == "text:second");
  CHECK(client.next() == "text:end");
  CHECK(client.next() == "text:binary");
  CHECK(client.next() == "text:x");
  CHECK(client.next() == "text:end");
  client.send_close(1000);
  CHECK(client.rest() == "close:1000 ");
  fixture.loop.run_until([] { return g_closed == 1; });
}

TEST_CASE("what a hook does not read of its message is dropped", "[handler]") {
  SocketFixture fixture(routes());
  SocketClient client(fixture);
  client.peer().send(begin("leave") + more("dropped") + more("dropped", true) +
                     frame(Role::client, Opcode::text, "next"));
  for (const char* expected : {"text:text", "text:leave", "text:text", "text:next", "text:end"})
    CHECK(client.next() == expected);
  client.send_close(1000);
  client.rest();
}

TEST_CASE("a hook that throws within a message closes the connection with 1011", "[handler]") {
  SocketFixture fixture(routes());
  g_closed = 0;
  SocketClient client(fixture);
  client.peer().send(begin("throw"));
  CHECK(client.next() == "text:text");
  CHECK(client.next() == "text:throw");
  CHECK(client.next() == "close:1011");
  fixture.loop.log.expect("broken hook");
  client.peer().send(more("never seen", true));
  client.peer().half_close();
  fixture.loop.run_until([] { return g_closed == 1; });
  CHECK(Live::count == 0);
}

TEST_CASE("a client that vanishes within a message, or sends too much, ends the hook without a log line",
          "[handler]") {
  for (const bool is_too_big : {false, true}) {
    SocketFixture fixture(routes());
    g_closed = 0;
    SocketClient client(fixture);
    client.peer().send(begin("one"));
    CHECK(client.next() == "text:text");
    CHECK(client.next() == "text:one");
    if (is_too_big) {
      client.peer().send(more(std::string(998, 'x')));
      CHECK(client.next() == "close:1009 message too big");
    }
    client.peer().close();
    fixture.loop.run_until([] { return g_closed == 1; });
    CHECK(Live::count == 0);
  }
}

TEST_CASE("a server that is destroyed while a hook waits for a piece destroys the hook",
          "[handler][cancel]") {
  g_closed = 0;
  {
    SocketFixture fixture(routes());
    SocketClient client(fixture);
    client.peer().send(begin("one"));
    CHECK(client.next() == "text:text");
    CHECK(client.next() == "text:one");
    CHECK(Live::count == 1);
  }
  CHECK(Live::count == 0);
  CHECK(g_closed == 1);
}

}  // namespace
}  // namespace squall::websocket::streaming_test
