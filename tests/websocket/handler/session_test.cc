// The life of a WebSocketHandler: failures of its hooks, ends of the connection, and cancellation.

#include <squall/websocket/handler/session.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "websocket/handler/socket_scene.h"

namespace squall::websocket::session_test {
namespace {

using namespace std::chrono_literals;
using handler_testing::frame;
using handler_testing::RawPeer;
using handler_testing::SocketClient;
using handler_testing::SocketFixture;
using handler_testing::Steps;
using handler_testing::to_hex;
using squall::testing::Live;
using web::url;

// Controls the handlers below, and records their hooks.
struct Script {
  std::string hook;  // where `what` happens
  std::string what;  // "throw", "wait" or nothing
  Steps steps;
} g_script;

void play(const std::string& hook) {
  g_script.steps.push_back(hook);
  if (hook == g_script.hook && g_script.what == "throw") throw std::runtime_error("from " + hook);
  if (hook == g_script.hook && g_script.what == "refuse") throw web::HTTPError(400, "bad " + hook);
  if (hook == g_script.hook && g_script.what == "int") throw 42;
}

Task<> play_later(std::string hook) {
  const Live live;
  co_await moment();
  play(hook);
  if (hook == g_script.hook && g_script.what == "wait") co_await sleep(24h);
}

class Recording : public WebSocketHandler {
 public:
  ~Recording() override { g_script.steps.emplace_back("destroyed"); }

 private:
  Live live_;
};
class VoidSocket : public Recording {
 public:
  void open() { play("open"); }
  void on_message(std::string_view) { play("on_message"); }
  void on_ping(std::string_view) { play("on_ping"); }
  void on_pong(std::string_view) { play("on_pong"); }
  void on_close() { play("on_close"); }
};
class TaskSocket : public Recording {
 public:
  Task<> open() { return play_later("open"); }
  Task<> on_message(std::string_view) { return play_later("on_message"); }
  Task<> on_ping(std::string_view) { return play_later("on_ping"); }
  Task<> on_pong(std::string_view) { return play_later("on_pong"); }
  Task<> on_close() { return play_later("on_close"); }
};
class ForgettingVoidSocket : public VoidSocket {
 public:
  static constexpr bool keep_request = false;
};
class ForgettingTaskSocket : public TaskSocket {
 public:
  static constexpr bool keep_request = false;
};
// Another user of the server, whose connection nothing must touch.
class EchoSocket : public WebSocketHandler {
 public:
  void on_message(const Message& message) { write_message(message); }
};

std::vector<web::Rule> routes() {
  return {url<VoidSocket>("/void"), url<TaskSocket>("/task"), url<ForgettingVoidSocket>("/void/short"),
          url<ForgettingTaskSocket>("/task/short"), url<EchoSocket>("/echo")};
}
const std::vector<std::string> kTargets = {"/void", "/task", "/void/short", "/task/short"};

void run_to(SocketFixture& fixture, const std::string& last) {
  fixture.loop.run_until([&] { return !g_script.steps.empty() && g_script.steps.back() == last; });
}

// Sends one frame of each kind.
void send_all(SocketClient& client) {
  client.say("x");
  client.send(Opcode::ping, "p");
  client.send(Opcode::pong, "q");
}

TEST_CASE("an exception of a hook is logged, closes the connection with 1011, and calls on_close() once",
          "[session]") {
  SocketFixture fixture(routes());
  SocketClient other(fixture, "/echo");
  for (const std::string& target : kTargets) {
    for (const std::string hook : {"on_message", "on_ping", "on_pong"}) {
      INFO(target << ' ' << hook);
      g_script = {hook, "throw", {}};
      SocketClient client(fixture, target);
      send_all(client);
      std::string answer = client.next();
      if (answer == "pong:p") answer = client.next();
      CHECK(answer == "close:1011");
      client.peer().close();
      run_to(fixture, "destroyed");
      const log::Level level = fixture.loop.log.expect("from " + hook).level;
      CHECK(level == log::Level::error);
      CHECK(std::count(g_script.steps.begin(), g_script.steps.end(), "on_close") == 1);
      CHECK(g_script.steps[g_script.steps.size() - 2] == "on_close");
    }
  }
  other.say("still here");
  CHECK(other.next() == "text:still here");
  CHECK(Live::count == 0);
}

TEST_CASE("the log's line names the target and the client", "[session]") {
  SocketFixture fixture(routes());
  g_script = {"on_message", "throw", {}};
  const auto line = [&](const std::string& target) {
    SocketClient client(fixture, target);
    client.say("x");
    CHECK(client.next() == "close:1011");
    client.peer().close();
    run_to(fixture, "destroyed");
    return fixture.loop.log.expect("Uncaught exception").message;
  };
  CHECK(line("/task") == "Uncaught exception in the WebSocket /task (127.0.0.1): from on_message");
  CHECK(line("/task/short") == "Uncaught exception in the WebSocket 127.0.0.1: from on_message");
  g_script.what = "int";
  CHECK(line("/void").starts_with("Uncaught exception in the WebSocket /void (127.0.0.1): "));
  g_script.what = "refuse";
  SocketClient client(fixture, "/void");
  client.say("x");
  CHECK(client.next() == "close:1011");
  client.peer().close();
  run_to(fixture, "destroyed");
  const auto warning = fixture.loop.log.expect("400 WebSocket /void (127.0.0.1): bad on_message");
  CHECK(warning.level == log::Level::warning);
}

TEST_CASE("after an exception of open() there is no on_close() (WSK-20)", "[session]") {
  SocketFixture fixture(routes());
  for (const std::string& target : kTargets) {
    INFO(target);
    g_script = {"open", "throw", {}};
    SocketClient client(fixture, target);
    CHECK(client.status() == "101");
    client.say("never read");
    CHECK(client.next() == "close:1011");
    client.peer().close();
    run_to(fixture, "destroyed");
    fixture.loop.log.expect("from open");
    CHECK(g_script.steps == Steps{"open", "destroyed"});
  }
  CHECK(Live::count == 0);
}

TEST_CASE("an exception of on_close() is logged", "[session]") {
  SocketFixture fixture(routes());
  for (const std::string& target : kTargets) {
    INFO(target);
    g_script = {"on_close", "throw", {}};
    SocketClient client(fixture, target);
    client.send_close(1000);
    CHECK(client.next() == "close:1000");
    run_to(fixture, "destroyed");
    CHECK(fixture.loop.log.expect("from on_close").message ==
          "Uncaught exception in on_close: from on_close");
    CHECK(g_script.steps == Steps{"open", "on_close", "destroyed"});
  }
}

// The ways in which a connection ends.
using End = std::function<void(SocketClient&)>;
const std::vector<std::pair<std::string, End>> kEnds = {
    {"close frame", [](SocketClient& client) { client.send_close(1000); }},
    {"close frame without a code", [](SocketClient& client) { client.send(Opcode::close, ""); }},
    {"end", [](SocketClient& client) { client.peer().close(); }},
    {"half-close", [](SocketClient& client) { client.peer().half_close(); }},
    {"reset", [](SocketClient& client) { client.peer().reset(); }},
    {"bad frame",
     [](SocketClient& client) {
       client.peer().send("\xff\xff\xff\xff");
       client.peer().half_close();
     }},
    {"bad UTF-8",
     [](SocketClient& client) {
       client.say("\xff");
       client.peer().half_close();
     }},
    {"bad close code",
     [](SocketClient& client) {
       client.send(Opcode::close, "\x01\x02");
       client.peer().half_close();
     }},
};

TEST_CASE("each end of a connection calls on_close() exactly once (WSK-23)", "[session]") {
  SocketFixture fixture(routes());
  for (const std::string& target : kTargets) {
    for (const auto& [name, end] : kEnds) {
      INFO(target << ' ' << name);
      g_script = {};
      SocketClient client(fixture, target);
      end(client);
      run_to(fixture, "destroyed");
      CHECK(g_script.steps == Steps{"open", "on_close", "destroyed"});
      fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
    }
  }
  CHECK(Live::count == 0);
}

TEST_CASE("a client that goes away while a hook waits is noticed behind the hook", "[session]") {
  SocketFixture fixture(routes());
  for (const auto& [name, end] : kEnds) {
    INFO(name);
    g_script = {};
    SocketClient client(fixture, "/task");
    client.say("x");
    end(client);
    run_to(fixture, "destroyed");
    if (g_script.steps.size() == 4) {
      CHECK(g_script.steps == Steps{"open", "on_message", "on_close", "destroyed"});
    } else {
      CHECK(name == "reset");  // it may overtake the message
      CHECK(g_script.steps == Steps{"open", "on_close", "destroyed"});
    }
  }
}

TEST_CASE("destroying the server cancels the hook that waits, and calls on_close() once", "[session]") {
  for (const std::string& target : kTargets) {
    for (const std::string hook : {"open", "on_message", "on_ping", "on_pong", "on_close", "none"}) {
      INFO(target << ' ' << hook);
      g_script = {hook, "wait", {}};
      {
        SocketFixture fixture(routes());
        SocketClient client(fixture, target);
        if (hook == "on_close") {
          client.send_close(1000);
        } else if (hook != "open") {
          send_all(client);
        }
        const std::string awaited = hook == "none" ? "on_pong" : hook;
        fixture.loop.run_until([&] {
          return std::find(g_script.steps.begin(), g_script.steps.end(), awaited) != g_script.steps.end();
        });
        for (int i = 0; i < 5; ++i) fixture.loop.run_turn();
        CHECK(std::count(g_script.steps.begin(), g_script.steps.end(), "on_close") == (hook == "on_close"));
      }
      CHECK(Live::count == 0);
      CHECK_FALSE(Live::broken);
      // A task of on_close() runs to its first wait only, where it has not recorded its step.
      const bool has_step = hook == "on_close" || target[1] == 'v';
      CHECK(std::count(g_script.steps.begin(), g_script.steps.end(), "on_close") == (has_step ? 1 : 0));
      CHECK(g_script.steps.back() == "destroyed");
    }
  }
}

TEST_CASE("a client is told 1001 when the server is destroyed", "[session]") {
  auto fixture = std::make_unique<SocketFixture>(routes());
  g_script = {};
  SocketClient client(*fixture, "/void");
  run_to(*fixture, "open");
  RawPeer peer = std::move(client.peer());
  fixture.reset();
  CHECK(to_hex(peer.received()) == "880203e9");
  CHECK(g_script.steps == Steps{"open", "on_close", "destroyed"});
}

// Destroys the connection's task by a hook of its own.
class ClosingSocket : public Recording {
 public:
  static inline http::HTTPServer* server = nullptr;
  void on_message(std::string_view) { server->close_all_connections(); }
  void on_close() { play("on_close"); }
};

TEST_CASE("a hook may close all connections of its server, its own too", "[session]") {
  SocketFixture fixture({url<ClosingSocket>("/")});
  ClosingSocket::server = &fixture.server;
  g_script = {};
  SocketClient client(fixture);
  client.say("x");
  run_to(fixture, "destroyed");
  CHECK(g_script.steps == Steps{"on_close", "destroyed"});
  CHECK(fixture.server.connections() == 0);
}

// Sends to a client that has gone.
class SendingSocket : public Recording {
 public:
  static inline Event* go = nullptr;
  Task<> on_message(std::string_view) {
    play("on_message");
    co_await go->wait();
    const std::string large(8 * 1024 * 1024, 'x');
    for (;;) co_await write_message(large);
  }
  void on_close() { play("on_close"); }
};

TEST_CASE("a send that fails because the client has gone is not logged", "[session]") {
  SocketFixture fixture({url<SendingSocket>("/")});
  Event go;
  SendingSocket::go = &go;
  g_script = {};
  SocketClient client(fixture);
  client.say("x");
  run_to(fixture, "on_message");
  client.peer().reset();
  go.set();
  run_to(fixture, "destroyed");
  CHECK(g_script.steps == Steps{"on_message", "on_close", "destroyed"});
}

// Sends to such a client in open().
class GreetingSocket : public Recording {
 public:
  Task<> open() {
    play("open");
    co_await SendingSocket::go->wait();
    const std::string large(8 * 1024 * 1024, 'x');
    for (;;) co_await write_message(large);
  }
  void on_message(std::string_view) {}
  void on_close() { play("on_close"); }
};

TEST_CASE("an open() that ends because the client has gone has its on_close()", "[session]") {
  SocketFixture fixture({url<GreetingSocket>("/")});
  Event go;
  SendingSocket::go = &go;
  g_script = {};
  SocketClient client(fixture);
  run_to(fixture, "open");
  client.peer().reset();
  go.set();
  run_to(fixture, "destroyed");
  CHECK(g_script.steps == Steps{"open", "on_close", "destroyed"});
}

// Sends behind its own close frame.
class LateSocket : public Recording {
 public:
  void on_message(std::string_view) {
    play("on_message");
    close(4000);
    write_message("too late");
  }
  void on_close() { play("on_close"); }
};

TEST_CASE("a send behind close() ends the hook, and messages are read on (WSK-57)", "[session]") {
  SocketFixture fixture({url<LateSocket>("/")});
  g_script = {};
  SocketClient client(fixture);
  client.say("one");
  client.say("two");
  CHECK(client.next() == "close:4000");
  client.send_close(4000);
  CHECK(client.next() == "end");
  run_to(fixture, "destroyed");
  CHECK(g_script.steps == Steps{"on_message", "on_message", "on_close", "destroyed"});
}

class CookieSocket : public Recording {
 public:
  static constexpr bool keep_request = false;
  std::optional<int> get_current_user() { throw std::runtime_error("no users today"); }
  void open() { play("open"); }
  void on_message(std::string_view) {}
  void on_close() { play("on_close"); }
};

TEST_CASE("a get_current_user() that fails behind open() fails the open", "[session]") {
  SocketFixture fixture({url<CookieSocket>("/")});
  g_script = {};
  SocketClient client(fixture);
  CHECK(client.next() == "close:1011");
  client.peer().close();
  run_to(fixture, "destroyed");
  fixture.loop.log.expect("no users today");
  CHECK(g_script.steps == Steps{"open", "destroyed"});
}

}  // namespace
}  // namespace squall::websocket::session_test
