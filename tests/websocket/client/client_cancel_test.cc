// Tasks of the clients that are destroyed where they wait.

#include <squall/iostream.h>
#include <squall/websocket.h>

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "support/fake_resolver.h"
#include "support/listeners.h"
#include "support/tls_pair.h"
#include "websocket/client/peer.h"

namespace squall::websocket::client_cancel_test {
namespace {

using namespace std::chrono_literals;
using http::HTTPRequest;
using squall::testing::AnswerServer;
using squall::testing::Live;
using testing::SocketServer;
using testing::switching;
using testing::TestLoop;

Task<> connect_and_drop(HTTPRequest request, ConnectOptions options) {
  const Live work;
  const auto socket = co_await websocket_connect(std::move(request), std::move(options));
}

// Begins to connect, waits for a condition, and destroys the task.
void destroy_when(TestLoop& loop, const HTTPRequest& request, const ConnectOptions& options,
                  const std::function<bool()>& reached) {
  TaskGroup group(loop);
  group.add(connect_and_drop(request, options));
  loop.run_until(reached);
  CHECK(group.size() == 1);
  group.destroy();
  CHECK(Live::count == 0);
}

TEST_CASE("websocket_connect() may be destroyed before it is awaited", "[websocket_client][cancel]") {
  TestLoop loop;
  const auto unused = websocket_connect("ws://127.0.0.1:9/");
}

TEST_CASE("websocket_connect() may be destroyed while it looks up the name", "[websocket_client][cancel]") {
  TestLoop loop;
  squall::testing::FakeResolver resolver;
  resolver.open.clear();
  ConnectOptions options;
  options.resolver = &resolver;
  destroy_when(loop, HTTPRequest("ws://name.test/"), options, [&] { return !resolver.asked.empty(); });
}

TEST_CASE("websocket_connect() may be destroyed while it connects", "[websocket_client][cancel]") {
  TestLoop loop;
  squall::testing::DeafListener deaf;
  int turns = 0;
  destroy_when(loop, HTTPRequest(fmt::format("ws://127.0.0.1:{}/", deaf.port())), ConnectOptions(),
               [&] { return ++turns > 3; });
}

TEST_CASE(
    "websocket_connect() may be destroyed in the TLS handshake, while a proxy is asked, and at each byte "
    "of the answer",
    "[websocket_client][cancel]") {
  TestLoop loop;
  std::string received;
  std::size_t answered = 0;
  AnswerServer server(loop, [](const std::string&) { return std::string(); });
  const auto take = [&received](IOStream& stream) -> Task<> {
    for (;;) {
      const std::string bytes = co_await stream.read_some(std::nothrow);
      if (bytes.empty()) co_return;
      received += bytes;
    }
  };
  server.set_script(take);
  destroy_when(loop, HTTPRequest(fmt::format("wss://127.0.0.1:{}/", server.port())), ConnectOptions(),
               [&] { return !received.empty(); });
  received.clear();
  HTTPRequest tunnelled("ws://target.test/");
  http::ProxyOptions proxy;
  proxy.host = "127.0.0.1";
  proxy.port = server.port();
  tunnelled.proxy = proxy;
  destroy_when(loop, tunnelled, ConnectOptions(), [&] { return received.ends_with("\r\n\r\n"); });
  for (std::size_t size = 0; size < 129; size += 16) {
    bool done = false;
    server.set_script([&](IOStream& stream) -> Task<> {
      const std::string request = co_await squall::testing::read_request(stream);
      const std::string answer = switching(request);
      CHECK(answer.size() == 129);
      co_await stream.write(answer.substr(0, size));
      done = true;
      const std::string end = co_await stream.read_some(std::nothrow);
      answered += end.size();
    });
    destroy_when(loop, HTTPRequest(testing::ws_url(server)), ConnectOptions(), [&] { return done; });
    loop.run_until([&] { return server.connections() == 0; });
  }
  CHECK(answered == 0);
}

TEST_CASE("a timeout around websocket_connect() ends it", "[websocket_client][cancel]") {
  TestLoop loop;
  AnswerServer server(loop, [](const std::string&) { return std::string(); });
  server.set_script([](IOStream& stream) -> Task<> {
    const std::string request = co_await squall::testing::read_request(stream);
    const std::string end = co_await stream.read_some(std::nothrow);
  });
  const auto run = [](std::string url) -> Task<bool> {
    try {
      const auto socket = co_await with_timeout(20ms, websocket_connect(std::move(url)));
    } catch (const TimeoutError&) {
      co_return true;
    }
    co_return false;
  };
  CHECK(loop.run(run(testing::ws_url(server))));
  loop.run_until([&] { return server.connections() == 0; });
}

// ---- ReconnectingClient.

// A client in a scene where each attempt hangs in the server's answer.
struct Hanging {
  Hanging() {
    server.set_script([this](IOStream& stream) -> Task<> {
      const std::string request = co_await squall::testing::read_request(stream);
      asked = true;
      const std::string end = co_await stream.read_some(std::nothrow);
    });
  }
  TestLoop loop;
  bool asked = false;
  AnswerServer server{loop, [](const std::string&) { return std::string(); }};
};

Task<> read_for_ever(ReconnectingClient& client, std::string& all) {
  const Live work;
  for (;;) {
    const std::optional<Message> message = co_await client.read_message();
    all += testing::describe(message) + ' ';
    if (!message) co_return;
  }
}

TEST_CASE("a client may be destroyed before it connects, while it connects, and while it waits",
          "[websocket_client][cancel]") {
  Hanging scene;
  {
    ReconnectingClient client(testing::ws_url(scene.server), {}, {}, scene.loop);
  }
  {
    ReconnectingClient client(testing::ws_url(scene.server), {}, {}, scene.loop);
    scene.loop.run_until([&] { return scene.asked; });
    CHECK(client.state() == ClientState::connecting);
  }
  scene.loop.run_until([&] { return scene.server.connections() == 0; });
  squall::testing::DeadEnd nobody;
  ReconnectOptions options;
  options.backoff.random = [] { return 1.0; };
  ReconnectingClient client(fmt::format("ws://127.0.0.1:{}/", nobody.port()), {}, options, scene.loop);
  scene.loop.run_until([&] { return client.state() == ClientState::waiting; });
}

TEST_CASE("a read of a client may be destroyed while the client connects, and in an open connection",
          "[websocket_client][cancel]") {
  TestLoop loop;
  SocketServer server(loop);
  WebSocketConnection* serving = nullptr;
  server.serve = [&serving](WebSocketConnection& socket) -> Task<> {
    serving = &socket;
    co_await socket.wait_closed();
  };
  ReconnectingClient client(server.url(), {}, {}, loop);
  std::string all;
  TaskGroup group(loop);
  group.add(read_for_ever(client, all));
  group.destroy();
  CHECK(Live::count == 0);
  loop.run_until([&] { return client.state() == ClientState::open && serving; });
  group.add(read_for_ever(client, all));
  for (int i = 0; i < 3; ++i) loop.run_turn();
  group.destroy();
  CHECK(Live::count == 0);
  serving->write_message("kept");
  group.add(read_for_ever(client, all));
  loop.run_until([&] { return !all.empty(); });
  CHECK(all == "text:kept ");
  group.destroy();
}

TEST_CASE("a client may be destroyed in its resume hook, which is destroyed with it",
          "[websocket_client][cancel]") {
  TestLoop loop;
  SocketServer server(loop);
  ReconnectOptions options;
  options.resume = [](WebSocketConnection& socket) -> Task<> {
    const Live work;
    co_await socket.wait_closed();
  };
  {
    ReconnectingClient client(server.url(), {}, options, loop);
    loop.run_until([] { return Live::count == 1; });
    CHECK(client.state() == ClientState::connecting);
    CHECK_FALSE(client.connection());
  }
  CHECK(Live::count == 0);
  loop.run_until([&] { return server.open == 0; });
}

TEST_CASE("a client may be destroyed while it sends its outbox", "[websocket_client][cancel]") {
  TestLoop loop;
  SocketServer server(loop);
  server.options.connection.max_message_size = 100'000'000;
  server.serve = [](WebSocketConnection&) -> Task<> {
    Event never;
    co_await never.wait();
  };
  ReconnectOptions options;
  options.when_disconnected = ReconnectOptions::WhenDisconnected::queue;
  options.outbox.max_bytes = 100'000'000;
  {
    ReconnectingClient client(server.url(), {}, options, loop);
    client.write_message(std::string(20'000'000, 'x'), MessageType::binary);
    client.write_message("second");
    loop.run_until([&] { return client.state() == ClientState::open; });
    for (int i = 0; i < 3; ++i) loop.run_turn();
    CHECK(client.waiting_messages() == 2);
  }
  CHECK(server.open == 1);
}

TEST_CASE("wait_open() may be destroyed", "[websocket_client][cancel]") {
  Hanging scene;
  ReconnectingClient client(testing::ws_url(scene.server), {}, {}, scene.loop);
  {
    TaskGroup group(scene.loop);
    group.add([](ReconnectingClient& client) -> Task<> {
      const Live work;
      const bool is_open = co_await client.wait_open();
      CHECK_FALSE(is_open);
    }(client));
    scene.loop.run_until([&] { return scene.asked; });
    CHECK(group.size() == 1);
  }
  CHECK(Live::count == 0);
}

TEST_CASE("close() of a client may be called by its hooks, in each state", "[websocket_client][cancel]") {
  TestLoop loop;
  SocketServer server(loop);
  for (const ClientState at : {ClientState::connecting, ClientState::open, ClientState::waiting}) {
    CAPTURE(to_string(at));
    server.refuse = [&](http::Exchange& exchange) {
      return at == ClientState::waiting && testing::answer_with(exchange, 503);
    };
    ReconnectingClient* self = nullptr;
    std::string states;
    ReconnectOptions options;
    options.on_state = [&](ClientState state) {
      states += std::string(to_string(state)) + ' ';
      if (state == at) self->close(1000);
    };
    ReconnectingClient client(server.url(), {}, options, loop);
    self = &client;
    loop.run(client.wait_closed());
    CHECK(client.state() == ClientState::closed);
    const std::string before = at == ClientState::connecting ? "connecting "
                               : at == ClientState::open     ? "connecting open closing "
                                                             : "connecting waiting ";
    CHECK(states == before + "closed ");
    for (int i = 0; i < 5; ++i) loop.run_turn();
    CHECK(states == before + "closed ");
  }
}

TEST_CASE("close() in the resume hook ends the attempt", "[websocket_client][cancel]") {
  TestLoop loop;
  SocketServer server(loop);
  ReconnectingClient* self = nullptr;
  ReconnectOptions options;
  options.resume = [&self](WebSocketConnection&) -> Task<> {
    self->close();
    co_return;
  };
  ReconnectingClient client(server.url(), {}, options, loop);
  self = &client;
  loop.run(client.wait_closed());
  CHECK(client.state() == ClientState::closed);
  loop.run_until([&] { return server.open == 0; });
  CHECK(client.state() == ClientState::closed);
}

}  // namespace
}  // namespace squall::websocket::client_cancel_test
