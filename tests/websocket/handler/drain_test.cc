// A server that drains: its WebSockets get 1001, and it waits for them.

#include <squall/websocket/connection/handshake_answer.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/http_fixture.h"
#include "websocket/handler/socket_scene.h"

namespace squall::websocket::drain_test {
namespace {

using namespace std::chrono_literals;
using handler_testing::frame;
using handler_testing::handshake;
using handler_testing::SocketClient;
using handler_testing::SocketFixture;
using handler_testing::to_hex;
using squall::testing::HTTPFixture;
using squall::testing::Live;
using squall::testing::RawPeer;
using squall::testing::TestLoop;
using web::url;

int g_closed = 0;  // calls of on_close()

class EchoSocket : public WebSocketHandler {
 public:
  void open() { write_message("open"); }
  void on_message(const Message& message) { write_message(message); }
  void on_close() { ++g_closed; }
};
class BusySocket : public WebSocketHandler {
 public:
  Task<> on_message(std::string_view) {
    const Live live;
    write_message("busy");
    co_await sleep(24h);
  }
  void on_close() { ++g_closed; }
};
std::vector<web::Rule> routes() { return {url<EchoSocket>("/"), url<BusySocket>("/busy")}; }

Task<> drain(http::HTTPServer& server, std::optional<std::size_t>& cut, TimeSpan time) {
  const std::size_t result = co_await server.drain(time);
  cut = result;
}
Task<> drain_all(web::Application& app, std::optional<std::size_t>& cut, TimeSpan time) {
  const std::size_t result = co_await app.drain(time);
  cut = result;
}

TEST_CASE("a drain closes WebSockets with 1001 behind their messages, and waits for them", "[drain]") {
  SocketFixture fixture(routes());
  g_closed = 0;
  SocketClient client(fixture);
  CHECK(fixture.server.connections() == 1);
  std::optional<std::size_t> cut;
  fixture.loop.spawn(drain_all(fixture.app, cut, 1h));
  CHECK(client.next() == "text:open");
  CHECK(client.next() == "close:1001");
  CHECK_FALSE(cut);
  client.say("in flight");  // is still delivered
  client.send_close(1001);
  CHECK(client.next() == "end");
  fixture.loop.run_until([&] { return cut.has_value(); });
  CHECK(*cut == 0);
  CHECK(g_closed == 1);
}

TEST_CASE("WebSockets that do not end in time are cut, and have their on_close()", "[drain]") {
  SocketFixture fixture(routes());
  g_closed = 0;
  SocketClient silent(fixture);
  SocketClient busy(fixture, "/busy");
  busy.say("x");
  CHECK(busy.next() == "text:busy");
  std::optional<std::size_t> cut;
  fixture.loop.spawn(drain(fixture.server, cut, 50ms));
  // On a slow machine the time may be over before the close frames are sent.
  CHECK(silent.rest().starts_with("text:open "));
  busy.rest();
  fixture.loop.run_until([&] { return cut.has_value(); });
  CHECK(*cut == 2);
  CHECK(g_closed == 2);
  CHECK(Live::count == 0);
  CHECK(fixture.server.connections() == 0);
}

TEST_CASE("a handshake that arrives while the server drains is closed with 1001 too", "[drain]") {
  SocketFixture fixture(routes());
  SocketClient first(fixture);
  CHECK(first.next() == "text:open");
  RawPeer late = fixture.connect();
  late.send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 10; ++i) fixture.loop.run_turn();
  std::optional<std::size_t> cut;
  fixture.loop.spawn(drain(fixture.server, cut, 1h));
  CHECK(first.next() == "close:1001");
  late.send(handshake().substr(16));
  std::string got;
  fixture.loop.run_until([&] { return late.drain(got) || got.ends_with("\x88\x02\x03\xe9"); });
  CHECK(got.ends_with("\x88\x02\x03\xe9"));
  first.send_close(1001);
  late.close();
  fixture.loop.run_until([&] { return cut.has_value(); });
  CHECK(*cut == 0);
}

TEST_CASE("many WebSockets are closed", "[drain]") {
  SocketFixture fixture(routes());
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (int i = 0; i < 300; ++i) clients.push_back(std::make_unique<SocketClient>(fixture));
  for (const auto& client : clients) CHECK(client->next() == "text:open");
  std::optional<std::size_t> cut;
  fixture.loop.spawn(drain(fixture.server, cut, 1h));
  for (const auto& client : clients) {
    CHECK(client->next() == "close:1001");
    client->send_close(1001);
  }
  fixture.loop.run_until([&] { return cut.has_value(); });
  CHECK(*cut == 0);
}

TEST_CASE("a server that gets sockets again keeps its WebSockets from then on", "[drain]") {
  SocketFixture fixture(routes());
  SocketClient old(fixture);
  CHECK(old.next() == "text:open");
  std::optional<std::size_t> cut;
  fixture.loop.spawn(drain(fixture.server, cut, 1h));
  CHECK(old.next() == "close:1001");
  ListenOptions options;
  options.address = "127.0.0.1";
  fixture.server.listen(0, options);
  fixture.loop.run_until([&] { return cut.has_value(); });
  CHECK(*cut == 0);
  SocketClient young(fixture);
  young.say("x");
  CHECK(young.next() == "text:open");
  CHECK(young.next() == "text:x");
  cut.reset();
  fixture.loop.spawn(drain(fixture.server, cut, 1h));
  CHECK(young.next() == "close:1001");
  young.send_close(1001);
  old.send_close(1001);
  fixture.loop.run_until([&] { return cut.has_value(); });
}

// ---- Without the framework.

Task<> echo(http::Exchange& exchange, AcceptOptions::Drain on_drain) {
  const Live live;
  AcceptOptions options;
  options.drain = on_drain;
  const auto socket = accept(exchange, options);
  for (;;) {
    const std::optional<Message> message = co_await socket->read_message();
    if (!message) co_return;
    co_await socket->write_message(*message);
  }
}

// Waits for the next bytes of the server.
std::string receive(HTTPFixture& fixture, RawPeer& peer, std::string_view last) {
  std::string got;
  fixture.loop.run_until([&] { return peer.drain(got) || got.ends_with(last); });
  return got;
}

TEST_CASE("a connection of accept() is closed with 1001 too, unless the program opts out", "[drain]") {
  for (const AcceptOptions::Drain on_drain : {AcceptOptions::Drain::closes, AcceptOptions::Drain::none}) {
    HTTPFixture fixture(
        [&](http::Exchange& exchange, Task<>& pending) { pending = echo(exchange, on_drain); });
    RawPeer peer = fixture.connect();
    peer.send(handshake() + frame(Role::client, Opcode::text, "x"));
    CHECK(receive(fixture, peer, "\x81\x01x").ends_with("\x81\x01x"));
    const bool closes = on_drain == AcceptOptions::Drain::closes;
    CHECK(fixture.server.connections() == (closes ? 1 : 0));
    std::optional<std::size_t> cut;
    fixture.loop.spawn(drain(fixture.server, cut, 1h));
    if (closes) {
      CHECK(receive(fixture, peer, "\x03\xe9") == "\x88\x02\x03\xe9");
      CHECK_FALSE(cut);
    } else {
      fixture.loop.run_until([&] { return cut.has_value(); });
      peer.send(frame(Role::client, Opcode::text, "y"));
      CHECK(receive(fixture, peer, "\x81\x01y") == "\x81\x01y");
    }
    peer.close();
    fixture.loop.run_until([&] { return cut.has_value() && Live::count == 0; });
    CHECK(*cut == 0);
  }
}

// Keeps its connection outside of the server's tasks.
Task<> hand_out(http::Exchange& exchange, std::unique_ptr<WebSocketConnection>& socket) {
  socket = accept(exchange);
  co_return;
}

TEST_CASE("a connection that the program keeps elsewhere is cut at the end of the drain's time", "[drain]") {
  std::unique_ptr<WebSocketConnection> socket;
  HTTPFixture fixture(
      [&](http::Exchange& exchange, Task<>& pending) { pending = hand_out(exchange, socket); });
  RawPeer peer = fixture.connect();
  peer.send(handshake());
  receive(fixture, peer, "\r\n\r\n");
  CHECK(fixture.server.connections() == 1);
  std::optional<std::size_t> cut;
  fixture.loop.spawn(drain(fixture.server, cut, 20ms));
  fixture.loop.run_until([&] { return cut.has_value(); });
  CHECK(*cut == 1);
  CHECK(socket->is_closed());
  CHECK(to_hex(fixture.read_to_end(peer)) == "880203e9");
  socket.reset();
  CHECK(fixture.server.connections() == 0);
}

TEST_CASE("a connection may outlive its server", "[drain]") {
  std::unique_ptr<WebSocketConnection> socket;
  TestLoop loop;
  squall::testing::FunctionDelegate delegate(
      [&](http::Exchange& exchange, Task<>& pending) { pending = hand_out(exchange, socket); });
  auto server = std::make_unique<http::HTTPServer>(delegate, loop);
  ListenOptions options;
  options.address = "127.0.0.1";
  server->listen(0, options);
  RawPeer peer(server->port());
  peer.send(handshake());
  loop.run_until([&] { return socket != nullptr; });
  server.reset();
  peer.send(frame(Role::client, Opcode::text, "Hello"));
  CHECK(loop.run(testing::read_one(*socket)) == "text:Hello");
  socket.reset();
}

TEST_CASE("WebSockets count for the limits of connections of the server and of an address", "[drain]") {
  http::HTTPServerOptions options;
  options.max_connections_per_address = 2;
  SocketFixture fixture(routes(), {}, options);
  auto first = std::make_unique<SocketClient>(fixture);
  SocketClient second(fixture);
  CHECK(fixture.server.connections() == 2);
  RawPeer third = fixture.connect();
  CHECK(fixture.read_to_end(third).empty());
  fixture.loop.log.expect("its address has 2 connections");
  first.reset();
  fixture.loop.run_until([&] { return fixture.server.connections() == 1; });
  SocketClient fourth(fixture);
  CHECK(fourth.status() == "101");
}

}  // namespace
}  // namespace squall::websocket::drain_test
