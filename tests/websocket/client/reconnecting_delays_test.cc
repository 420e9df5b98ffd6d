// When a client connects again, without a network: the clock skips all waits.

#include <squall/http.h>
#include <squall/iostream.h>
#include <squall/testing/log_capture.h>
#include <squall/testing/virtual_clock.h>
#include <squall/websocket.h>

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/test_loop.h"

namespace squall::websocket::reconnecting_delays_test {
namespace {

using namespace std::chrono_literals;
using squall::testing::TestLoop;
using squall::testing::VirtualClock;

// Delays that are their limits.
ReconnectOptions longest() {
  ReconnectOptions options;
  options.backoff.random = [] { return 1.0; };
  return options;
}

struct Offline {
  Offline() {
    http::AsyncHTTPClient::Options options;
    options.connector = [this](const http::URL&) { return fail(*this); };
    http_client = std::make_unique<http::SimpleAsyncHTTPClient>(options, loop);
    connect.client = http_client.get();
  }
  static Task<IOStream> fail(Offline& scene) {
    scene.attempts.push_back(scene.loop.time() - scene.begun);
    co_await moment();
    throw std::runtime_error("no network");
  }
  // The delays between the attempts, in milliseconds, until the client gives up.
  std::string delays(ReconnectOptions options) {
    attempts.clear();
    begun = loop.time();
    ReconnectingClient client("ws://h/", connect, std::move(options), loop);
    loop.run(client.wait_closed());
    CHECK(client.state() == ClientState::gave_up);
    failures = client.failures();
    std::string text;
    for (std::size_t i = 1; i < attempts.size(); ++i)
      text += fmt::format(
          "{} ", std::chrono::round<std::chrono::milliseconds>(attempts[i] - attempts[i - 1]).count());
    loop.log.expect("gives up");
    CHECK(loop.log.empty());
    return text;
  }

  VirtualClock clock;
  TestLoop loop{IOLoop::Options{.time_source = &clock}};
  std::unique_ptr<http::SimpleAsyncHTTPClient> http_client;
  ConnectOptions connect;
  std::vector<IOLoop::Duration> attempts;
  IOLoop::TimePoint begun;
  int failures = 0;
};

TEST_CASE("the delays between attempts grow to their maximum", "[reconnecting_delays]") {
  Offline scene;
  ReconnectOptions options = longest();
  options.max_attempts = 10;
  CHECK(scene.delays(options) == "500 1000 2000 4000 8000 16000 30000 30000 30000 ");
  CHECK(scene.failures == 10);
}

TEST_CASE("the delays are random, from zero to their limit", "[reconnecting_delays]") {
  Offline scene;
  ReconnectOptions options;
  options.max_attempts = 5;
  std::vector<double> numbers = {0, 0.5, 0.25, 0.125};
  std::size_t next = 0;
  options.backoff.random = [&] { return numbers.at(next++); };
  CHECK(scene.delays(options) == "0 500 500 500 ");
}

TEST_CASE("max_attempts counts the first attempt", "[reconnecting_delays]") {
  Offline scene;
  ReconnectOptions options = longest();
  options.max_attempts = 1;
  CHECK(scene.delays(options).empty());
  CHECK(scene.attempts.size() == 1);
}

TEST_CASE("no attempt is later than max_time", "[reconnecting_delays]") {
  Offline scene;
  ReconnectOptions options = longest();
  options.max_time = 3500ms;
  CHECK(scene.delays(options) == "500 1000 2000 ");
  options.max_time = 3499ms;
  CHECK(scene.delays(options) == "500 1000 ");
}

TEST_CASE("a rule of the program decides, with the reason", "[reconnecting_delays]") {
  Offline scene;
  ReconnectOptions options = longest();
  int asked = 0;
  options.should_reconnect = [&asked](const Disconnect& why) {
    CHECK(why.to_string() == "no network");
    return ++asked < 3;
  };
  CHECK(scene.delays(options) == "500 1000 ");
  options.should_reconnect = [](const Disconnect&) -> bool { throw std::runtime_error("the rule failed"); };
  ReconnectingClient client("ws://h/", scene.connect, options, scene.loop);
  scene.loop.run(client.wait_closed());
  CHECK(client.state() == ClientState::gave_up);
  scene.loop.log.expect("Uncaught exception in should_reconnect: the rule failed");
  scene.loop.log.expect(
      "WebSocket to h: gives up, with 1 attempts in a row that led to no stable connection: "
      "no network");
}

TEST_CASE("set_next_delay() is for the next delay only", "[reconnecting_delays]") {
  Offline scene;
  ReconnectOptions options = longest();
  options.max_attempts = 4;
  options.backoff.random = [] { return 0.5; };
  ReconnectingClient client("ws://h/", scene.connect, options, scene.loop);
  client.set_next_delay(60s, 120s);
  scene.loop.run(client.wait_closed());
  REQUIRE(scene.attempts.size() == 4);
  CHECK(scene.attempts[1] - scene.attempts[0] == 90s);
  CHECK(scene.attempts[2] - scene.attempts[1] == 500ms);
  CHECK(client.delay() == 1s);
  scene.loop.log.expect("gives up");
}

TEST_CASE("reconnect_now() ends a wait", "[reconnecting_delays]") {
  Offline scene;
  ReconnectOptions options = longest();
  options.max_attempts = 3;
  ReconnectingClient* self = nullptr;
  options.on_state = [&self](ClientState state) {
    if (state == ClientState::waiting) self->reconnect_now();
  };
  ReconnectingClient client("ws://h/", scene.connect, options, scene.loop);
  self = &client;
  client.reconnect_now();  // does nothing in this state
  scene.loop.run(client.wait_closed());
  REQUIRE(scene.attempts.size() == 3);
  CHECK(scene.attempts[2] == scene.attempts[0]);
  scene.loop.log.expect("gives up");
}

TEST_CASE("a client says in info lines when it connects again, without the path of the URL",
          "[reconnecting_delays]") {
  Offline scene;
  ReconnectOptions options = longest();
  options.max_attempts = 2;
  squall::testing::LogCapture lines(log::Level::info);
  ReconnectingClient client("ws://user:secret@h:81/path?token=secret", scene.connect, options, scene.loop);
  scene.loop.run(client.wait_closed());
  lines.expect("WebSocket to h:81: connects again in 0.5 s: no network");
  lines.expect("WebSocket to h:81: gives up, with 2 attempts in a row");
}

}  // namespace
}  // namespace squall::websocket::reconnecting_delays_test
