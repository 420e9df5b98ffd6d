#include <squall/redis/client.h>

#include <squall/ioloop/coro/with_timeout.h>
#include <squall/iostream/address/errors.h>
#include <squall/redis/connect.h>
#include <squall/testing/virtual_clock.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "redis/fake_server.h"
#include "support/redis_server.h"

namespace squall::redis::client_test {
namespace {

using namespace std::chrono_literals;
using squall::testing::RedisServer;
using squall::testing::TestLoop;
using testing::failure;
using testing::FakeServer;
using testing::result;

const Value kOK{std::string("OK")};

Value text(std::string_view bytes) { return Value{std::string(bytes)}; }

TEST_CASE("commands are pipelined, and answered in their order", "[client]") {
  FakeServer scene;
  Future<Value> first = scene.client->command("INCR", "visits");
  Future<Value> second = scene.client->command("GET", "greeting");
  CHECK(scene.client->waiting() == 2);
  CHECK(scene.received(53) == "*2\r\n$4\r\nINCR\r\n$6\r\nvisits\r\n*2\r\n$3\r\nGET\r\n$8\r\ngreeting\r\n");
  scene.send(":41\r\n");
  CHECK(first.done());
  CHECK(!second.done());
  scene.send("$5\r\nhello\r\n");
  CHECK(scene.loop.run(result(std::move(first))) == Value{std::int64_t{41}});
  CHECK(scene.loop.run(result(std::move(second))) == text("hello"));
  CHECK(scene.client->waiting() == 0);
}

TEST_CASE("an error reply is a value of its command only", "[client]") {
  FakeServer scene;
  Future<Value> first = scene.client->command("INCR", "a");
  Future<Value> second = scene.client->command("PING");
  scene.send("-WRONGTYPE no\r\n+PONG\r\n");
  CHECK(scene.loop.run(result(std::move(first))) == Value{Error{"WRONGTYPE no"}});
  CHECK(scene.loop.run(result(std::move(second))) == text("PONG"));
}

TEST_CASE("the answer of a dropped future is dropped, and the next answers keep their commands", "[client]") {
  FakeServer scene;
  {
    Future<Value> dropped = scene.client->command("GET", "a");
  }
  static_cast<void>(scene.client->command("GET", "b"));
  Future<Value> third = scene.client->command("GET", "c");
  scene.send("+a\r\n+b\r\n+c\r\n");
  CHECK(scene.loop.run(result(std::move(third))) == text("c"));
}

Task<bool> times_out(Future<Value> future) {
  try {
    co_await with_timeout(1s, std::move(future));
  } catch (const TimeoutError&) {
    co_return true;
  }
  co_return false;
}

TEST_CASE("a timeout of one command leaves the connection usable", "[client]") {
  squall::testing::VirtualClock clock;
  FakeServer scene({}, {.time_source = &clock});
  CHECK(scene.loop.run(times_out(scene.client->command("GET", "slow"))));
  Future<Value> next = scene.client->command("GET", "next");
  scene.send("+slow\r\n+next\r\n");
  CHECK(scene.loop.run(result(std::move(next))) == text("next"));
}

TEST_CASE("commands whose answers do not come in order are refused", "[client]") {
  FakeServer scene;
  CHECK_THROWS_WITH(scene.client->command("Subscribe", "a"),
                    "use the function subscribe() of redis::Client for the command");
  CHECK_THROWS_WITH(scene.client->command("monitor"), "redis::Client does not support monitor");
  CHECK_THROWS_WITH(scene.client->send(std::vector<std::string>()), "a command needs a name");
  CHECK_THROWS_AS(scene.client->subscribe({}), std::invalid_argument);
  CHECK(scene.client->waiting() == 0);
}

TEST_CASE("too many waiting commands are refused, and the others are not affected", "[client]") {
  FakeServer scene({.max_waiting = 2});
  Future<Value> first = scene.client->command("A");
  Future<Value> second = scene.client->command("B");
  CHECK_THROWS_AS(scene.client->command("C"), StreamBufferFullError);
  scene.send("+a\r\n");
  CHECK(scene.loop.run(result(std::move(first))) == text("a"));
  Future<Value> third = scene.client->command("C");
  scene.send("+b\r\n+c\r\n");
  CHECK(scene.loop.run(result(std::move(third))) == text("c"));
  CHECK(scene.loop.run(result(std::move(second))) == text("b"));
}

TEST_CASE("the server's silence closes the connection, and its answers move the deadline", "[client]") {
  squall::testing::VirtualClock clock(squall::testing::VirtualClock::Idle::wait);
  FakeServer scene({.answer_timeout = 10s}, {.time_source = &clock});
  clock.advance(100s);  // without a command nothing is expected
  scene.loop.run_turn();
  Future<Value> first = scene.client->command("A");
  Future<Value> second = scene.client->command("B");
  clock.advance(9s);
  scene.send("+a\r\n");
  clock.advance(9s);
  scene.send("$3\r\n");  // a part of an answer
  clock.advance(9s);
  scene.loop.run_turn();
  CHECK(scene.fault() == "");
  clock.advance(1s);
  scene.loop.run_turn();
  CHECK(scene.fault() == "a Redis server did not answer within 10 seconds");
  CHECK(scene.loop.run(result(std::move(first))) == text("a"));
  CHECK(scene.loop.run(failure(std::move(second))) == "a Redis server did not answer within 10 seconds");
  CHECK_THROWS_AS(scene.client->command("C"), AnswerTimeoutError);
}

TEST_CASE("without a limit an answer may take any time", "[client]") {
  squall::testing::VirtualClock clock(squall::testing::VirtualClock::Idle::wait);
  FakeServer scene({.answer_timeout = std::nullopt}, {.time_source = &clock});
  Future<Value> answer = scene.client->command("BLPOP", "a", 0);
  clock.advance(24h);
  scene.send("*-1\r\n");
  CHECK(scene.loop.run(result(std::move(answer))) == Value{});
}

TEST_CASE("a subscription is done when each channel is confirmed, by pushes or by arrays", "[client]") {
  for (const char type : {'>', '*'}) {
    FakeServer scene;
    std::vector<std::string> heard;
    scene.client->on_message([&](const ChannelMessage& message) {
      heard.push_back(std::string(message.channel) + '=' + std::string(message.payload) + '|' +
                      std::string(message.pattern.value_or("none")));
    });
    const auto push = [type](const std::string& rest) { return type + rest; };
    Future<Value> ready = scene.client->subscribe({"a", "b"});
    scene.send(push("3\r\n+subscribe\r\n+a\r\n:1\r\n") + push("3\r\n+message\r\n+a\r\n+1\r\n"));
    CHECK(!ready.done());
    scene.send(push("3\r\n+subscribe\r\n+b\r\n:2\r\n") + push("4\r\n+pmessage\r\n+b*\r\n+bc\r\n+2\r\n"));
    CHECK(scene.loop.run(result(std::move(ready))) == Value{});
    Future<Value> gone = scene.client->unsubscribe({"a", "b"});
    scene.send(push("3\r\n+unsubscribe\r\n+a\r\n:1\r\n") + push("3\r\n+unsubscribe\r\n+b\r\n:0\r\n"));
    CHECK(scene.loop.run(result(std::move(gone))) == Value{});
    // With RESP2 an array that looks like a message is an answer again.
    Future<Value> list = scene.client->command("LRANGE", "l", 0, -1);
    scene.send("*3\r\n+message\r\n+a\r\n+3\r\n");
    CHECK(scene.loop.run(result(std::move(list))).as<Array>().items.size() == 3);
    CHECK(heard == std::vector<std::string>{"a=1|none", "bc=2|b*"});
  }
}

TEST_CASE("a refused subscription is an error reply", "[client]") {
  FakeServer scene;
  Future<Value> ready = scene.client->ssubscribe({"a"});
  scene.send("-NOPERM no channel\r\n");
  CHECK(scene.loop.run(result(std::move(ready))) == Value{Error{"NOPERM no channel"}});
}

TEST_CASE("other pushes and confirmations are passed to on_push() before the future is done", "[client]") {
  FakeServer scene;
  Future<Value> ready = scene.client->subscribe({"a"});
  std::vector<std::string> heard;
  scene.client->on_push([&](const std::vector<Value>& items) {
    heard.push_back(items.at(0).as<std::string>() + (ready.done() ? " late" : ""));
  });
  scene.send(
      ">2\r\n+invalidate\r\n*1\r\n+k\r\n>3\r\n+sunsubscribe\r\n+x\r\n:0\r\n>3\r\n+subscribe\r\n+a\r\n:1\r\n");
  CHECK(ready.done());
  CHECK(heard == std::vector<std::string>{"invalidate", "sunsubscribe", "subscribe"});
}

TEST_CASE("an exception of a handler is logged, and the connection goes on", "[client]") {
  FakeServer scene;
  scene.client->on_message([](const ChannelMessage&) { throw std::runtime_error("bad handler"); });
  Future<Value> answer = scene.client->command("PING");
  scene.send(">3\r\n+message\r\n+a\r\n+1\r\n+PONG\r\n");
  CHECK(scene.loop.run(result(std::move(answer))) == text("PONG"));
  scene.loop.log.expect("Exception in a handler of a Redis client: bad handler");
}

TEST_CASE("a handler may close the client, and gets no further message", "[client]") {
  FakeServer scene;
  int count = 0;
  scene.client->on_message([&](const ChannelMessage&) {
    ++count;
    scene.client->close();
  });
  const std::string message = ">3\r\n+message\r\n+a\r\n+1\r\n";
  scene.send(message + message + message);
  CHECK(count == 1);
  CHECK(scene.fault() == "Stream is closed");
}

TEST_CASE("closing and destroying a client ends the commands that wait", "[client]") {
  FakeServer scene;
  Future<Value> first = scene.client->command("A");
  scene.client->close();
  CHECK(scene.loop.run(failure(std::move(first))) == "Stream is closed");
  CHECK_THROWS_AS(scene.client->command("B"), StreamClosedError);
  FakeServer other;
  Future<Value> second = other.client->command("A");
  other.client.reset();
  CHECK(other.loop.run(failure(std::move(second))) == "Stream is closed");
}

TEST_CASE("without RESP3 the client logs in with AUTH, and selects the database", "[client]") {
  FakeServer scene;
  Future<Value> done = [&] {
    Promise<Value> promise;
    Future<Value> future = promise.get_future();
    scene.loop.spawn([](Client& client, Promise<Value> promise) -> Task<> {
      Login login;
      login.user = "u";
      login.password = "p";
      login.database = 3;
      co_await client.hello(std::move(login));
      promise.set_value(Value{true});
    }(*scene.client, std::move(promise)));
    return future;
  }();
  CHECK(
      scene.received(10).starts_with("*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n"));
  scene.send("-NOPROTO unsupported protocol version\r\n");
  CHECK(scene.received(10) == "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n");
  scene.send("+OK\r\n+OK\r\n");
  CHECK(scene.loop.run(result(std::move(done))) == Value{true});
  CHECK(scene.client->protocol() == 2);
}

// ---- With Debian's redis-server.

Task<> uses_every_kind(std::string url) {
  const std::unique_ptr<Client> client = co_await connect(url);
  CHECK(client->protocol() == 3);
  std::vector<Future<Value>> answers;
  for (int i = 0; i < 1000; ++i) answers.push_back(client->command("INCR", "n"));
  const Value last = co_await std::move(answers.back());
  CHECK(last == Value{std::int64_t{1000}});
  const std::string bytes("a\0b\r\nc", 6);
  Future<Value> stored = client->command("SET", "bytes", bytes);
  Future<Value> read = client->command("GET", "bytes");
  const Value is_stored = co_await std::move(stored);
  CHECK(is_stored == kOK);
  const Value is_read = co_await std::move(read);
  CHECK(is_read == Value{bytes});
  const std::string large(20 * 1024 * 1024, 'x');
  static_cast<void>(client->command("SET", "large", large));
  const Value large_answer = co_await client->command("GET", "large");
  CHECK((large_answer == Value{large}));
  static_cast<void>(client->command("HSET", "h", "f", 1));
  const Value map = co_await client->command("HGETALL", "h");
  CHECK(map.as<Map>().items.size() == 1);
  static_cast<void>(client->command("MULTI"));
  static_cast<void>(client->command("INCR", "n"));
  const Value transaction = co_await client->command("EXEC");
  CHECK(transaction.as<Array>().items.at(0) == Value{std::int64_t{1001}});
  const Value wrong = co_await client->command("INCR", "h");
  CHECK(wrong.as<Error>().code() == "WRONGTYPE");
}

TEST_CASE("commands, large values and transactions work with redis-server", "[client][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  TestLoop loop;
  loop.run(uses_every_kind(server.url()));
}

Task<> uses_channels(std::string url, bool prefers_resp3) {
  ConnectSettings settings;
  settings.prefers_resp3 = prefers_resp3;
  const std::unique_ptr<Client> listener = co_await connect(url, settings);
  const std::unique_ptr<Client> sender = co_await connect(url);
  std::vector<std::string> heard;
  Event enough;
  listener->on_message([&](const ChannelMessage& message) {
    heard.push_back(std::string(message.channel) + '=' + std::string(message.payload));
    if (message.payload == "end") enough.set();
  });
  std::vector<Future<Value>> ready;
  std::vector<std::string> names{"a", "b"};
  ready.push_back(listener->subscribe(names));
  ready.push_back(listener->psubscribe(std::vector<std::string>(1, "p.*")));
  ready.push_back(listener->ssubscribe(std::vector<std::string>(1, "s")));
  ready.push_back(listener->unsubscribe(std::vector<std::string>(1, "b")));
  for (Future<Value>& one : ready) {
    const Value confirmed = co_await std::move(one);
    CHECK(confirmed == Value{});
  }
  static_cast<void>(sender->command("PUBLISH", "a", "1"));
  static_cast<void>(sender->command("PUBLISH", "b", "2"));
  static_cast<void>(sender->command("PUBLISH", "p.x", "3"));
  static_cast<void>(sender->command("SPUBLISH", "s", "4"));
  static_cast<void>(sender->command("PUBLISH", "a", "end"));
  co_await enough.wait();
  CHECK(heard == std::vector<std::string>{"a=1", "p.x=3", "s=4", "a=end"});
}

TEST_CASE("channels, patterns and sharded channels work with redis-server, in RESP3 and RESP2",
          "[client][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  TestLoop loop;
  loop.run(uses_channels(server.url(), true));
  loop.run(uses_channels(server.url(), false));
}

}  // namespace
}  // namespace squall::redis::client_test
