// The client that connects again, with a server.

#include <squall/iostream.h>
#include <squall/websocket.h>

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/death.h"
#include "websocket/client/peer.h"

namespace squall::websocket::reconnecting_client_test {
namespace {

using namespace std::chrono_literals;
using squall::testing::RawPeer;
using testing::answer_with;
using testing::describe;
using testing::SocketServer;
using testing::TestLoop;
using testing::VirtualClock;
using WhenDisconnected = ReconnectOptions::WhenDisconnected;

// Delays that are their limits.
ReconnectOptions longest() {
  ReconnectOptions options;
  options.backoff.random = [] { return 1.0; };
  return options;
}

struct Scene {
  void make(ReconnectOptions options) {
    options.on_state = [this](ClientState state) { states += fmt::format("{} ", to_string(state)); };
    client = std::make_unique<ReconnectingClient>(server.url(), connect, std::move(options), loop);
  }
  void start_reading() { reader.add(read(*client, got)); }
  static Task<> read(ReconnectingClient& client, std::string& got) {
    for (;;) {
      const std::optional<Message> message = co_await client.read_message();
      got += describe(message) + ' ';
      if (!message) co_return;
    }
  }
  void reach(ClientState state) {
    loop.run_until([&] { return client->state() == state; });
  }
  void reach_got(const std::string& end) {
    loop.run_until([&] { return got.ends_with(end); });
  }

  VirtualClock clock{VirtualClock::Idle::wait};
  TestLoop loop{IOLoop::Options{.time_source = &clock}};
  SocketServer server{loop};
  ConnectOptions connect;
  std::string states;
  std::string got;
  std::unique_ptr<ReconnectingClient> client;
  TaskGroup reader{loop};
};

// Sends a greeting, and closes with a code once a message has come.
SocketServer::Serve greets_and_closes(std::uint16_t code) {
  struct Talk {
    static Task<> run(WebSocketConnection& socket, std::uint16_t code) {
      co_await socket.write_message("hello");
      const std::optional<Message> message = co_await socket.read_message();
      if (!message) co_return;
      socket.close(code, "as asked");
      co_await socket.wait_closed();
    }
  };
  return [code](WebSocketConnection& socket) { return Talk::run(socket, code); };
}

TEST_CASE("a read goes on with the next connection", "[reconnecting_client]") {
  Scene scene;
  scene.server.serve = greets_and_closes(1012);
  scene.make(longest());
  scene.start_reading();
  scene.reach_got("text:hello ");
  CHECK(scene.client->connection());
  scene.client->write_message("close");
  scene.reach(ClientState::waiting);
  CHECK_FALSE(scene.client->connection());
  CHECK(scene.client->last_disconnect().close_code == 1012);
  CHECK(scene.client->last_disconnect().close_reason == "as asked");
  CHECK(scene.client->delay() == 500ms);
  scene.clock.advance(500ms);
  scene.reach_got("text:hello text:hello ");
  CHECK(scene.states == "connecting open waiting connecting open ");
  CHECK(scene.client->failures() == 1);
}

TEST_CASE("only a connection that was open for stable_time begins the delays again",
          "[reconnecting_client]") {
  Scene scene;
  scene.server.serve = greets_and_closes(1001);
  scene.make(longest());
  scene.start_reading();
  for (const auto& [age, delay] : std::vector<std::pair<IOLoop::Duration, IOLoop::Duration>>{
           {0s, 500ms}, {9999ms, 1s}, {10s, 500ms}, {20s, 500ms}, {0s, 1s}, {5s, 2s}}) {
    scene.reach(ClientState::open);
    scene.clock.advance(age);
    scene.client->write_message("close");
    scene.reach(ClientState::waiting);
    CHECK(scene.client->delay() == delay);
    scene.clock.advance(delay);
  }
}

TEST_CASE("max_attempts counts connections that were not stable, and begins again behind a stable one",
          "[reconnecting_client]") {
  Scene scene;
  scene.server.serve = greets_and_closes(1001);
  ReconnectOptions options = longest();
  options.max_attempts = 2;
  scene.make(options);
  scene.start_reading();
  for (const auto age : {0s, 10s, 0s}) {
    scene.reach(ClientState::open);
    scene.clock.advance(age);
    scene.client->write_message("close");
    scene.reach(ClientState::waiting);
    scene.clock.advance(30s);
  }
  scene.reach(ClientState::open);
  scene.client->write_message("close");
  scene.reach(ClientState::gave_up);
  scene.reach_got("end ");
  CHECK(scene.client->last_disconnect().close_code == 1001);
  CHECK_THROWS_AS(scene.client->write_message("late"), WebSocketClosedError);
  CHECK_FALSE(scene.loop.run(scene.client->wait_open()));
  scene.loop.log.expect("with 2 attempts in a row");
}

TEST_CASE("a connection that is reset is lost without a code", "[reconnecting_client]") {
  Scene scene;
  scene.server.serve = [](WebSocketConnection&) -> Task<> { co_return; };
  bool once = true;
  scene.server.serve = [&once](WebSocketConnection& socket) -> Task<> {
    if (std::exchange(once, false)) co_return;
    co_await socket.wait_closed();
  };
  scene.make(longest());
  scene.start_reading();
  scene.reach(ClientState::waiting);
  CHECK(scene.client->last_disconnect().close_code == 1001);  // the destructor of the server's connection
  scene.clock.advance(500ms);
  scene.reach(ClientState::open);
}

TEST_CASE("close codes and answers that will not change make the client give up", "[reconnecting_client]") {
  for (const std::uint16_t code : {1000, 1008, 4401}) {
    CAPTURE(code);
    Scene scene;
    scene.server.serve = greets_and_closes(code);
    scene.make(longest());
    scene.start_reading();
    scene.reach(ClientState::open);
    scene.client->write_message("close");
    scene.reach(ClientState::gave_up);
    CHECK(scene.client->last_disconnect().close_code == code);
    CHECK(scene.loop.log.expect_any("gives up") == (code == 1000 ? 0 : 1));
  }
  Scene scene;
  scene.server.refuse = [](http::Exchange& exchange) { return answer_with(exchange, 403); };
  scene.make(longest());
  scene.start_reading();
  scene.reach_got("end ");
  CHECK(scene.states == "connecting gave_up ");
  CHECK(scene.client->last_disconnect().status == 403);
  scene.loop.log.expect("HTTP 403: Forbidden");
}

TEST_CASE("a server that asks for a wait by Retry-After gets it, and the backoff's delay on top",
          "[reconnecting_client]") {
  Scene scene;
  std::string after = "120";
  int status = 503;
  scene.server.refuse = [&](http::Exchange& exchange) {
    return answer_with(exchange, status, "Retry-After", after);
  };
  scene.make(longest());
  scene.reach(ClientState::waiting);
  CHECK(scene.client->delay() == 120s + 500ms);
  status = 429;
  after = "7";
  scene.clock.advance(121s);
  scene.loop.run_until([&] { return scene.client->failures() == 2; });
  CHECK(scene.client->delay() == 7s + 1s);
  after = "4000000000";
  scene.client->reconnect_now();
  scene.loop.run_until([&] { return scene.client->failures() == 3; });
  CHECK(scene.client->delay() == 10min + 2s);
  // A window that the program has learnt from the server has precedence.
  scene.client->set_next_delay(3s, 3s);
  scene.client->reconnect_now();
  scene.loop.run_until([&] { return scene.client->failures() == 4; });
  CHECK(scene.client->delay() == 3s);
}

TEST_CASE("clients of a server that restarts come back at random moments of its window",
          "[reconnecting_client]") {
  Scene scene;
  std::string reason = reconnect_reason(40s);
  scene.server.serve = [&reason](WebSocketConnection& socket) -> Task<> {
    socket.close(close_code::kServiceRestart, reason);
    co_await socket.wait_closed();
  };
  ReconnectOptions options = longest();
  options.backoff.random = [] { return 0.25; };
  scene.make(options);
  scene.start_reading();
  scene.reach(ClientState::waiting);
  CHECK(scene.client->last_disconnect().reconnect_within == TimeSpan(40s));
  CHECK(scene.client->delay() == 10s);
  // No longer than max_retry_after, 10 minutes.
  reason = reconnect_reason(23h);
  scene.client->reconnect_now();
  scene.loop.run_until([&] { return scene.client->failures() == 2; });
  CHECK(scene.client->delay() == 150s);
}

// ---- The resume hook.

TEST_CASE("the resume hook runs on each connection before messages flow", "[reconnecting_client]") {
  Scene scene;
  int offset = 0;
  std::vector<std::string> hellos;
  // The server answers the first message with `from N`, sends a message, and closes.
  scene.server.serve = [&hellos](WebSocketConnection& socket) -> Task<> {
    const std::optional<Message> hello = co_await socket.read_message();
    hellos.emplace_back(hello ? hello->data : "none");
    co_await socket.write_message("accepted");
    co_await socket.write_message("message");
    const std::optional<Message> next = co_await socket.read_message();
    if (!next) co_return;
    hellos.emplace_back(next->data);
    socket.close(1001);
    co_await socket.wait_closed();
  };
  ReconnectOptions options = longest();
  options.when_disconnected = WhenDisconnected::queue;
  options.resume = [&offset](WebSocketConnection& socket) -> Task<> {
    co_await socket.write_message(fmt::format("from {}", offset));
    const std::optional<Message> answer = co_await socket.read_message();
    CHECK(describe(answer) == "text:accepted");
    ++offset;
  };
  scene.make(options);
  scene.start_reading();
  for (int i = 0; i < 2; ++i) {
    scene.client->write_message("queued");
    scene.reach_got("text:message ");
    scene.reach(ClientState::waiting);
    scene.got.clear();
    scene.clock.advance(30s);
    scene.loop.run_turn();
  }
  CHECK(hellos.size() >= 4);
  hellos.resize(4);
  CHECK(hellos == std::vector<std::string>{"from 0", "queued", "from 1", "queued"});
}

TEST_CASE("an attempt fails if the resume hook throws, takes too long, or loses the connection",
          "[reconnecting_client]") {
  Scene scene;
  std::function<Task<>(WebSocketConnection&)> hook;
  ReconnectOptions options = longest();
  options.resume = [&hook](WebSocketConnection& socket) { return hook(socket); };
  hook = [](WebSocketConnection&) -> Task<> {
    co_await moment();
    throw std::runtime_error("not subscribed");
  };
  scene.make(options);
  scene.loop.run_until([&] { return scene.client->failures() == 1; });
  CHECK(scene.client->last_disconnect().to_string() == "not subscribed");
  CHECK(scene.states == "connecting waiting ");

  bool begun = false;
  hook = [&begun](WebSocketConnection& socket) -> Task<> {
    begun = true;
    const std::optional<Message> never = co_await socket.read_message();
    CHECK(describe(never) == "end");
  };
  scene.client->reconnect_now();
  scene.loop.run_until([&] { return begun; });
  scene.clock.advance(20s);
  scene.loop.run_until([&] { return scene.client->failures() == 2; });
  CHECK(scene.client->last_disconnect().to_string() == TimeoutError().what());

  scene.server.serve = [](WebSocketConnection& socket) -> Task<> {
    socket.close(4401, "who are you");
    co_await socket.wait_closed();
  };
  scene.client->reconnect_now();
  scene.reach(ClientState::gave_up);
  CHECK(scene.client->last_disconnect().close_code == 4401);
  CHECK(scene.states == "connecting waiting connecting waiting connecting gave_up ");
  scene.loop.log.expect("closed with 4401 unknown: who are you");
}

// ---- Sending.

TEST_CASE("a message without a connection is refused, which is the default", "[reconnecting_client]") {
  Scene scene;
  scene.make(longest());
  CHECK_THROWS_AS(scene.client->write_message("early"), WebSocketClosedError);
  scene.start_reading();
  CHECK(scene.loop.run(scene.client->wait_open()));
  scene.client->write_message("now");
  scene.reach_got("text:now ");
  CHECK(scene.client->waiting_messages() == 0);
}

TEST_CASE("with an outbox messages wait for the connection, in their order and with their types",
          "[reconnecting_client]") {
  Scene scene;
  ReconnectOptions options = longest();
  options.when_disconnected = WhenDisconnected::queue;
  options.outbox.max_messages = 3;
  scene.make(options);
  scene.loop.run([](ReconnectingClient& client) -> Task<> {
    co_await client.write_message("one");  // does not wait
    co_await client.write_message("two", MessageType::binary);
  }(*scene.client));
  CHECK(scene.client->state() != ClientState::open);
  scene.client->write_message("three");
  CHECK(scene.client->waiting_messages() == 3);
  CHECK_THROWS_AS(scene.client->write_message("four"), StreamBufferFullError);
  CHECK_THROWS_AS(scene.client->write_message("x", MessageType::ping), std::invalid_argument);
  scene.start_reading();
  scene.reach_got("text:three ");
  scene.client->write_message("four");
  scene.reach_got("text:four ");
  CHECK(scene.got == "text:one binary:two text:three text:four ");
  CHECK(scene.client->waiting_messages() == 0);
}

TEST_CASE("messages behind an outbox that is being sent go behind it", "[reconnecting_client]") {
  Scene scene;
  Event go;
  scene.server.options.connection.max_message_size = 100'000'000;
  scene.connect.connection.max_message_size = 100'000'000;
  std::string sizes;
  scene.server.serve = [&](WebSocketConnection& socket) -> Task<> {
    co_await go.wait();
    for (;;) {
      const std::optional<Message> message = co_await socket.read_message();
      if (!message) co_return;
      sizes += fmt::format("{} ", message->data.size());
    }
  };
  ReconnectOptions options = longest();
  options.when_disconnected = WhenDisconnected::queue;
  options.outbox.max_bytes = 100'000'000;
  scene.make(options);
  scene.client->write_message(std::string(20'000'000, 'x'), MessageType::binary);
  scene.client->write_message(std::string(2, 'x'));
  scene.reach(ClientState::open);
  for (int i = 0; i < 3; ++i) scene.loop.run_turn();
  scene.client->write_message(std::string(3, 'x'));
  CHECK(scene.client->waiting_messages() == 3);
  go.set();
  scene.loop.run_until([&] { return sizes.ends_with(" 3 "); });
  CHECK(sizes == "20000000 2 3 ");
}

TEST_CASE("a message of the outbox that the kernel has not taken is sent again by the next connection",
          "[reconnecting_client]") {
  Scene scene;
  scene.server.options.connection.max_message_size = 100'000'000;
  int connections = 0;
  std::string sizes;
  scene.server.serve = [&](WebSocketConnection& socket) -> Task<> {
    if (++connections == 1) {
      co_await sleep(1s);  // then the connection is destroyed
      co_return;
    }
    for (;;) {
      const std::optional<Message> message = co_await socket.read_message();
      if (!message) co_return;
      sizes += fmt::format("{} ", message->data.size());
    }
  };
  ReconnectOptions options = longest();
  options.when_disconnected = WhenDisconnected::queue;
  options.outbox.max_bytes = 100'000'000;
  scene.make(options);
  scene.client->write_message("a");
  scene.client->write_message(std::string(20'000'000, 'x'), MessageType::binary);
  scene.client->write_message(std::string(3, 'x'));
  scene.start_reading();
  scene.reach(ClientState::open);
  for (int i = 0; i < 5; ++i) scene.loop.run_turn();
  CHECK(scene.client->waiting_messages() == 2);
  scene.clock.advance(1s);
  scene.reach(ClientState::waiting);
  CHECK(scene.client->waiting_messages() == 2);
  scene.clock.advance(30s);
  scene.loop.run_until([&] { return sizes.ends_with(" 3 "); });
  CHECK(sizes == "20000000 3 ");  // the kernel had taken the first message
}

// ---- The end.

TEST_CASE("close() closes in order and never connects again", "[reconnecting_client]") {
  Scene scene;
  std::optional<std::uint16_t> code;
  scene.server.serve = [&code](WebSocketConnection& socket) -> Task<> {
    co_await socket.wait_closed();
    code = socket.close_code();
  };
  scene.make(longest());
  scene.start_reading();
  scene.reach(ClientState::open);
  scene.client->close(4000, "bye");
  scene.client->close(4001);  // has no effect
  CHECK_THROWS_AS(scene.client->write_message("late"), WebSocketClosedError);
  scene.reach_got("end ");
  CHECK(scene.client->state() == ClientState::closed);
  scene.loop.run_until([&] { return code.has_value(); });
  CHECK(code == 4000);
  scene.clock.advance(1h);
  for (int i = 0; i < 3; ++i) scene.loop.run_turn();
  CHECK(scene.states == "connecting open closing closed ");
  CHECK(scene.server.asked.size() == 1);
  CHECK_FALSE(scene.loop.run(scene.client->wait_open()));
}

TEST_CASE("close() of an open client sends what is in the outbox first", "[reconnecting_client]") {
  Scene scene;
  scene.server.options.connection.max_message_size = 100'000'000;
  Event go;
  std::string sizes;
  scene.server.serve = [&](WebSocketConnection& socket) -> Task<> {
    co_await go.wait();
    for (;;) {
      const std::optional<Message> message = co_await socket.read_message();
      sizes += message ? fmt::format("{} ", message->data.size()) : "end";
      if (!message) co_return;
    }
  };
  ReconnectOptions options = longest();
  options.when_disconnected = WhenDisconnected::queue;
  options.outbox.max_bytes = 100'000'000;
  scene.make(options);
  scene.client->write_message(std::string(20'000'000, 'x'), MessageType::binary);
  scene.client->write_message("22");
  scene.client->write_message("333");
  scene.reach(ClientState::open);
  for (int i = 0; i < 3; ++i) scene.loop.run_turn();
  CHECK_THROWS_AS(scene.client->close(1005), std::invalid_argument);
  CHECK(scene.client->waiting_messages() == 3);  // nothing has changed
  scene.client->close();
  CHECK(scene.client->waiting_messages() == 0);
  go.set();
  scene.start_reading();
  scene.loop.run_until([&] { return sizes.ends_with("end"); });
  CHECK(sizes == "20000000 2 3 end");
  scene.reach(ClientState::closed);
}

TEST_CASE("close() of a client that connects or waits ends it at once", "[reconnecting_client]") {
  Scene scene;
  scene.server.refuse = [](http::Exchange& exchange) { return answer_with(exchange, 503); };
  scene.make(longest());
  scene.start_reading();
  scene.reach(ClientState::waiting);
  CHECK_THROWS_AS(scene.client->close(1), std::invalid_argument);
  scene.client->close();
  CHECK(scene.client->state() == ClientState::closed);
  scene.reach_got("end ");
  scene.clock.advance(1h);
  for (int i = 0; i < 3; ++i) scene.loop.run_turn();
  CHECK(scene.server.asked.size() == 1);
}

TEST_CASE("a second read throws, and the first goes on", "[reconnecting_client]") {
  Scene scene;
  scene.make(longest());
  scene.start_reading();
  CHECK_THROWS_AS(scene.loop.run(scene.client->read_message()), std::logic_error);
  scene.reach(ClientState::open);
  CHECK_THROWS_AS(scene.loop.run(scene.client->wait_closed()), std::logic_error);
  scene.client->write_message("x");
  scene.reach_got("text:x ");
}

TEST_CASE("an exception of on_state is logged, and the client goes on", "[reconnecting_client]") {
  TestLoop loop;
  SocketServer server(loop);
  ReconnectOptions options;
  options.on_state = [](ClientState) { throw std::runtime_error("the function failed"); };
  ReconnectingClient client(server.url(), {}, options, loop);
  CHECK(loop.run(client.wait_open()));
  CHECK(loop.log.expect_any("Uncaught exception in on_state: the function failed") == 2);
}

TEST_CASE("an on_state that destroys its client ends the program with a message", "[reconnecting_client]") {
  const std::string said = squall::testing::last_words_of([] {
    TestLoop loop;
    std::optional<ReconnectingClient> client;
    ReconnectOptions options;
    options.on_state = [&client](ClientState) { client.reset(); };
    client.emplace("ws://127.0.0.1:9/", ConnectOptions(), options, loop);
    loop.run_until([] { return false; });
  });
  CHECK(said == "A hook has destroyed its ReconnectingClient: call close() instead\n");
}

TEST_CASE("close() may be called by should_reconnect", "[reconnecting_client]") {
  Scene scene;
  scene.server.serve = greets_and_closes(1001);
  ReconnectOptions options = longest();
  options.should_reconnect = [&scene](const Disconnect&) {
    scene.client->close();
    return true;
  };
  scene.make(options);
  scene.start_reading();
  scene.reach(ClientState::open);
  scene.client->write_message("close");
  scene.reach_got("end ");
  CHECK(scene.states == "connecting open closing closed ");
  scene.server.refuse = [](http::Exchange& exchange) { return answer_with(exchange, 503); };
  scene.states.clear();
  scene.make(options);
  scene.loop.run(scene.client->wait_closed());
  CHECK(scene.states == "connecting closed ");
}

TEST_CASE("a message of the outbox that no connection can take is dropped with an error in the log",
          "[reconnecting_client]") {
  Scene scene;
  ReconnectOptions options = longest();
  options.when_disconnected = WhenDisconnected::queue;
  options.outbox.max_bytes = 200'000'000;
  scene.make(options);
  scene.client->write_message(std::string(101 * 1024 * 1024, 'x'), MessageType::binary);
  scene.client->write_message("next");
  scene.start_reading();
  scene.reach(ClientState::waiting);
  scene.loop.log.expect("cannot send a message of 105906176 bytes, which is dropped");
  scene.clock.advance(30s);
  scene.reach_got("text:next ");
  CHECK(scene.client->waiting_messages() == 0);
}

TEST_CASE("a client refuses a URL and options that are invalid", "[reconnecting_client]") {
  TestLoop loop;
  const auto make = [&](const char* url, ConnectOptions connect, ReconnectOptions options) {
    ReconnectingClient(url, std::move(connect), std::move(options), loop);
  };
  CHECK_THROWS_AS(make("http://h/", {}, {}), std::invalid_argument);
  CHECK_THROWS_AS(make("ws://h:x/", {}, {}), std::invalid_argument);
  ConnectOptions connect;
  connect.subprotocols = {"a b"};
  CHECK_THROWS_AS(make("ws://h/", connect, {}), std::invalid_argument);
  ReconnectOptions options;
  options.backoff.factor = 0;
  CHECK_THROWS_AS(make("ws://h/", {}, options), std::invalid_argument);
}

TEST_CASE("a client may outlive its loop", "[reconnecting_client]") {
  std::optional<ReconnectingClient> client;
  {
    TestLoop loop;
    SocketServer server(loop);
    client.emplace(server.url(), ConnectOptions(), ReconnectOptions(), loop);
    CHECK(loop.run(client->wait_open()));
  }
  client.reset();
}

}  // namespace
}  // namespace squall::websocket::reconnecting_client_test
