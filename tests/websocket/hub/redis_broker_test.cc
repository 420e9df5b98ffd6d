#include <squall/websocket/hub/redis_broker.h>

#include <squall/redis/connect.h>

#include <squall/websocket/hub/topic.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/redis_server.h"
#include "support/test_loop.h"

namespace squall::websocket::redis_broker_test {
namespace {

using namespace std::chrono_literals;
using squall::testing::RedisServer;
using squall::testing::TestLoop;
using WhenDown = RedisBrokerOptions::WhenDown;

struct Listener final : BrokerListener {
  void on_message(const SharedMessage& message) noexcept override {
    std::string line = message->topic + '=' + (message->payload ? *message->payload : message->member.client);
    if (message->kind == TopicMessage::Kind::join) line += "+";
    if (message->kind == TopicMessage::Kind::leave) line += "-";
    if (message->position) line += '@' + std::to_string(message->position->offset);
    heard.push_back(line);
  }
  void on_gap(std::string_view pattern) noexcept override { heard.push_back("gap " + std::string(pattern)); }

  // Removes what was heard.
  std::vector<std::string> taken() { return std::exchange(heard, {}); }
  std::vector<std::string> heard;
};

// One process of several, in one loop.
struct Process {
  Process(TestLoop& loop, const RedisBrokerOptions& options)
      : loop(loop), broker(std::make_unique<RedisBroker>(options, loop)) {
    broker->start(listener);
  }
  ~Process() { broker->stop(); }

  void subscribe(std::string_view pattern) {
    bool is_confirmed = false;
    broker->subscribe(pattern, [&] { is_confirmed = true; });
    loop.run_until([&] { return is_confirmed; });
  }
  void post(const std::string& topic, const std::string& payload, std::optional<HistoryLimits> limits = {}) {
    TopicMessage message;
    message.topic = topic;
    message.payload = std::make_shared<const std::string>(payload);
    broker->publish(std::move(message), limits,
                    [this](const Published& published) { results.push_back(published); });
  }
  Published publish(const std::string& topic, const std::string& payload,
                    std::optional<HistoryLimits> limits = {}) {
    results.clear();
    post(topic, payload, limits);
    loop.run_until([&] { return !results.empty(); });
    return results[0];
  }
  // `ok a@1 b@2 top 2`
  std::string history(const std::string& topic, const HistoryRequest& request = {}) {
    return describe(page(topic, request));
  }
  HistoryPage page(const std::string& topic, const HistoryRequest& request = {}) {
    std::optional<HistoryPage> page;
    broker->read_history(topic, request, [&](HistoryPage got) { page = std::move(got); });
    loop.run_until([&] { return page.has_value(); });
    return *page;
  }
  static std::string describe(const HistoryPage& page) {
    const char* const names[] = {"ok", "gap", "no_history", "unavailable"};
    std::string text = names[static_cast<int>(page.status)];
    for (const SharedMessage& message : page.messages)
      text += ' ' + *message->payload + '@' + std::to_string(message->position->offset);
    return text + " top " + std::to_string(page.top.offset);
  }
  PresenceList presence(const std::string& topic, std::size_t most = 100) {
    std::optional<PresenceList> list;
    broker->read_presence(topic, most, [&](PresenceList got) { list = std::move(got); });
    loop.run_until([&] { return list.has_value(); });
    return *list;
  }
  std::vector<std::string> wait(std::size_t count) {
    loop.run_until([&] { return listener.heard.size() >= count; });
    return listener.taken();
  }
  void wait_for(const std::string& line) {
    loop.run_until([&] { return !listener.heard.empty() && listener.heard.back() == line; });
    listener.taken();
  }

  TestLoop& loop;
  Listener listener;
  std::unique_ptr<RedisBroker> broker;
  std::vector<Published> results;
};

using Lines = std::vector<std::string>;
using Status = Published::Status;

RedisBrokerOptions options_for(const RedisServer& server) {
  RedisBrokerOptions options;
  options.server = redis::parse_url(server.url());
  options.min_delay = 5ms;
  options.max_delay = 20ms;
  options.heartbeat_interval = 50ms;
  return options;
}

const HistoryLimits kHistory{};

// As another program does.
void send_command(TestLoop& loop, const RedisServer& server, std::vector<std::string> words) {
  const auto send = [](std::string url, std::vector<std::string> command) -> Task<> {
    const std::unique_ptr<redis::Client> client = co_await redis::connect(url);
    co_await client->send(command);
  };
  loop.run(send(server.url(), std::move(words)));
}

std::string tag_of(std::string_view topic) {
  return "{squall:" + std::to_string(topic_partition(topic, 16)) + "}:";
}

TEST_CASE("a message reaches the subscribers of all processes once, whatever patterns match",
          "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  for (const bool is_sharded : {false, true}) {
    RedisServer server;
    TestLoop loop;
    RedisBrokerOptions options = options_for(server);
    options.is_sharded = is_sharded;
    Process a(loop, options);
    Process b(loop, options);
    a.subscribe("prices.eur");
    a.subscribe("prices.*");
    a.subscribe("prices.>");
    a.subscribe("*.eur");
    b.subscribe("prices.usd");
    CHECK(b.publish("prices.eur", "1").status == Status::everywhere);
    CHECK(a.publish("prices.usd", "2").status == Status::everywhere);
    CHECK(b.publish("prices.eur", "3", kHistory).status == Status::everywhere);
    CHECK(a.wait(3) == Lines{"prices.eur=1", "prices.usd=2", "prices.eur=3@1"});
    CHECK(b.wait(1) == Lines{"prices.usd=2"});
    a.broker->unsubscribe("prices.eur");
    a.broker->unsubscribe("prices.*");
    a.broker->unsubscribe("prices.>");
    b.publish("prices.eur", "4");
    CHECK(a.wait(1) == Lines{"prices.eur=4"});  // *.eur
  }
}

TEST_CASE("a message with a history has its position wherever it arrives, and in the page",
          "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  TestLoop loop;
  Process a(loop, options_for(server));
  Process b(loop, options_for(server));
  b.subscribe("t");
  a.subscribe("other");  // its link is up
  CHECK(a.history("t") == "no_history top 0");
  const Published first = a.publish("t", "one", kHistory);
  REQUIRE(first.position);
  CHECK(first.position->offset == 1);
  a.publish("t", "two", kHistory);
  b.publish("t", "three", kHistory);
  CHECK(b.wait(3) == Lines{"t=one@1", "t=two@2", "t=three@3"});
  CHECK(a.history("t") == "ok one@1 two@2 three@3 top 3");
  CHECK(a.history("t", {.max_messages = 2}) == "ok two@2 three@3 top 3");
  CHECK(a.history("t", {.max_messages = 0}) == "ok top 3");
  CHECK(b.history("t", {.after = first.position}) == "ok two@2 three@3 top 3");
  CHECK(b.history("t", {.after = first.position, .max_messages = 1}) == "ok two@2 top 3");
  CHECK(b.history("t", {.after = first.position, .max_bytes = 1}) == "ok two@2 top 3");
  CHECK(b.history("t", {.after = Position{first.position->epoch, 3}}) == "ok top 3");
  CHECK(b.history("t", {.after = Position{first.position->epoch, 0}}) == "ok one@1 two@2 three@3 top 3");
  CHECK(b.history("t", {.after = Position{first.position->epoch, 4}}) == "gap top 3");
  CHECK(b.history("t", {.after = Position{first.position->epoch + 1, 1}}) == "gap top 3");
}

TEST_CASE("each limit of a history forgets the oldest messages, and their readers get a gap",
          "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  TestLoop loop;
  Process a(loop, options_for(server));
  std::uint64_t epoch = 0;
  for (int i = 1; i <= 5; ++i)
    epoch = a.publish("n", std::to_string(i), HistoryLimits{.max_messages = 2}).position->epoch;
  CHECK(a.history("n") == "ok 4@4 5@5 top 5");
  CHECK(a.history("n", {.after = Position{epoch, 3}}) == "ok 4@4 5@5 top 5");
  CHECK(a.history("n", {.after = Position{epoch, 2}}) == "gap top 5");
  CHECK(a.page("n").bottom == Position{epoch, 3});
  CHECK(a.page("n", {.after = Position{epoch, 4}}).bottom == Position{epoch, 3});
  CHECK(a.page("n", {.after = Position{epoch, 2}}).bottom == Position{epoch, 3});
  for (const char* payload : {"aaaa", "bbbb", "cccccccccccc"})
    a.publish("b", payload, HistoryLimits{.max_bytes = 10});
  CHECK(a.history("b") == "ok cccccccccccc@3 top 3");  // the last one is kept beyond max_bytes
  a.publish("b", "dd", HistoryLimits{.max_bytes = 10});
  CHECK(a.history("b") == "ok dd@4 top 4");
  a.publish("a", "old", HistoryLimits{.max_age = 1ms});
  loop.run_until([&] { return a.history("a") == "ok top 1"; });
  CHECK(a.page("a").bottom.offset == 1);
  a.publish("a", "new", HistoryLimits{.max_age = 1h});
  CHECK(a.history("a") == "ok new@2 top 2");  // the same epoch
}

TEST_CASE("reads of the same page are merged, and a later one sees what was published before it",
          "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  TestLoop loop;
  Process a(loop, options_for(server));
  a.publish("t", "one", kHistory);
  const auto scripts_run = [&] {
    const auto ask = [](std::string url) -> Task<std::string> {
      const std::unique_ptr<redis::Client> client = co_await redis::connect(url);
      const redis::Value stats = co_await client->command("INFO", "commandstats");
      co_return stats.as<std::string>();
    };
    const std::string stats = loop.run(ask(server.url()));
    const std::size_t at = stats.find("cmdstat_evalsha:calls=");
    return at == std::string::npos ? 0 : std::stoi(stats.substr(at + 22));
  };
  const int before = scripts_run();
  std::vector<std::string> pages;
  for (int i = 0; i < 1000; ++i)
    a.broker->read_history("t", {}, [&](HistoryPage page) { pages.push_back(Process::describe(page)); });
  loop.run_until([&] { return pages.size() == 1000; });
  CHECK(pages.front() == "ok one@1 top 1");
  CHECK(pages.back() == "ok one@1 top 1");
  CHECK(scripts_run() - before == 2);
}

TEST_CASE("while Redis is away messages are delivered here, wait, or are refused",
          "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  for (const WhenDown when_down : {WhenDown::here, WhenDown::queue, WhenDown::refuse}) {
    RedisServer server;
    TestLoop loop;
    RedisBrokerOptions options = options_for(server);
    options.when_down = when_down;
    options.max_waiting = 3;
    Process a(loop, options);
    Process b(loop, options);
    a.subscribe("t");
    b.subscribe("t");
    for (Process* process : {&a, &b}) process->publish("t", "0");  // both links are up
    a.wait(2);
    b.wait(2);
    server.kill();
    loop.run_until(
        [&] { return a.history("t") == "unavailable top 0" && b.history("t") == "unavailable top 0"; });
    a.results.clear();
    for (int i = 1; i <= 4; ++i) a.post("t", std::to_string(i), kHistory);
    if (when_down == WhenDown::here) {
      CHECK(a.wait(3) == Lines{"t=1", "t=2", "t=3"});
      CHECK(a.results.at(1).status == Status::here);
      CHECK(!a.results.at(1).position);
    }
    server.start();
    loop.run_until([&] { return !b.listener.heard.empty(); });
    loop.run_until([&] { return a.results.size() == 4; });
    CHECK(a.results.at(0).status == Status::refused);  // the fourth, beyond max_waiting
    if (when_down == WhenDown::queue) {
      CHECK(b.wait(1).front() == "gap t");
      CHECK(b.history("t") == "ok 1@1 2@2 3@3 top 3");  // they may be older than its new subscription
      CHECK(a.wait(4) == Lines{"gap t", "t=1@1", "t=2@2", "t=3@3"});
      CHECK(a.results.at(3).status == Status::everywhere);
    } else {
      CHECK(b.wait(1) == Lines{"gap t"});
    }
    if (when_down == WhenDown::refuse) CHECK(a.results.at(3).status == Status::refused);
    CHECK(loop.log.expect_any("RedisBroker: lost the link to unix://") == 2);
    loop.log.expect_any("RedisBroker: cannot reach unix://");
  }
}

TEST_CASE("a restarted Redis begins another epoch, and every pattern gets a gap first",
          "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server({"--appendonly", "yes", "--appendfsync", "always"});
  TestLoop loop;
  RedisBrokerOptions options = options_for(server);
  Process a(loop, options);
  options.keeps_all_on_restart = true;
  options.prefix = "kept";
  Process b(loop, options);
  for (Process* process : {&a, &b}) {
    process->subscribe("t");
    process->subscribe("u.*");
  }
  const Published before = a.publish("t", "1", kHistory);
  const Published kept = b.publish("t", "1", kHistory);
  a.wait(1);
  b.wait(1);
  server.kill();
  server.start();
  for (Process* process : {&a, &b}) {
    Lines lines = process->wait(2);
    std::sort(lines.begin(), lines.end());
    CHECK(lines == Lines{"gap t", "gap u.*"});
  }
  CHECK(a.history("t", {.after = before.position}).starts_with("gap"));
  CHECK(b.history("t", {.after = kept.position}) == "ok top 1");
  const Published after = a.publish("t", "2", kHistory);
  REQUIRE(after.position);
  CHECK(after.position->offset == 1);
  CHECK(after.position->epoch != before.position->epoch);
  CHECK(b.publish("t", "2", kHistory).position == Position{kept.position->epoch, 2});
  loop.log.expect_any("RedisBroker: ");
}

TEST_CASE("a silent Redis is found by the heartbeat, and the link is made again",
          "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  TestLoop loop;
  RedisBrokerOptions options = options_for(server);
  options.heartbeat_timeout = 300ms;
  Process a(loop, options);
  a.subscribe("t");
  server.pause();
  loop.run_until([&] { return a.publish("t", "x").status == Status::here; });
  loop.log.expect("a heartbeat did not come back in time");
  a.listener.taken();
  server.resume();
  a.wait_for("gap t");
  CHECK(a.publish("t", "y").status == Status::everywhere);
  a.wait_for("t=y");
  loop.log.expect_any("RedisBroker: ");
}

TEST_CASE("a missing offset is reported before the message behind it", "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  TestLoop loop;
  Process a(loop, options_for(server));
  a.subscribe("t");
  a.publish("t", "1", kHistory);
  a.wait(1);
  const std::string channel = "{squall:" + std::to_string(topic_partition("t", 16)) + "}:t";
  const auto send = [](std::string url, std::string channel, std::string envelope) -> Task<> {
    const std::unique_ptr<redis::Client> client = co_await redis::connect(url);
    co_await client->command("PUBLISH", channel, envelope);
  };
  const std::uint64_t epoch = a.publish("t", "2", kHistory).position->epoch;
  a.wait(1);
  const auto envelope = [&](std::uint64_t offset, const std::string& number) {
    return "1 " + to_string(Position{epoch, offset}) + " 16 77 " + number + " mt- t\nx";
  };
  loop.run(send(server.url(), channel, envelope(2, "1")));  // came before
  loop.run(send(server.url(), channel, envelope(9, "2")));
  loop.run(send(server.url(), channel, "2 of the future"));
  loop.run(send(server.url(), channel, "2 of the future"));
  loop.run(send(server.url(), channel, "nonsense"));
  loop.run(send(server.url(), channel, envelope(10, "3")));
  CHECK(a.wait(3) == Lines{"gap t", "t=x@9", "t=x@10"});
  CHECK(loop.log.expect_any("messages of a newer version of Squall are skipped") == 1);
  CHECK(loop.log.expect_any("another program publishes to channels with the prefix squall") == 1);
}

TEST_CASE("what was missed without a subscription is no gap of a later one", "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  TestLoop loop;
  Process a(loop, options_for(server));
  for (const char* pattern : {"t", "*"}) {
    a.subscribe(pattern);
    a.publish("t", "heard", kHistory);
    a.wait(1);
    a.broker->unsubscribe(pattern);
    a.subscribe("other");  // is confirmed once Redis has ended the subscription before it
    a.publish("t", "missed", kHistory);
    a.subscribe(pattern);
    a.publish("t", "again", kHistory);
    const Lines heard = a.wait(1);
    CHECK(heard.front().substr(0, 7) == "t=again");
    a.broker->unsubscribe(pattern);
    a.broker->unsubscribe("other");
    a.listener.taken();
  }
}

TEST_CASE("an entry of a history that has no position is refused", "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  TestLoop loop;
  Process a(loop, options_for(server));
  a.publish("t", "1", kHistory);
  send_command(
      loop, server,
      {"XADD", tag_of("t") + "s:t", "9-0", "t", "9999999999999", "s", "1", "m", "1 - 16 77 1 mt- t\nx"});
  CHECK(a.history("t") == "unavailable top 0");
  CHECK(loop.log.expect_any("cannot read a history: an entry of a history is malformed") == 1);
}

TEST_CASE("scripts that Redis has forgotten are loaded again, whatever needs them",
          "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  TestLoop loop;
  Process a(loop, options_for(server));
  a.subscribe("t");
  a.publish("t", "1", kHistory);
  send_command(loop, server, {"SCRIPT", "FLUSH"});
  CHECK(a.history("t") == "unavailable top 0");
  loop.run_until([&] { return a.history("t") == "ok 1@1 top 1"; });
  send_command(loop, server, {"SCRIPT", "FLUSH"});
  CHECK_FALSE(a.presence("room").is_complete);
  loop.run_until([&] { return a.presence("room").is_complete; });
  send_command(loop, server, {"SCRIPT", "FLUSH"});
  a.listener.taken();
  a.broker->join("room", {"c1", "ann", "A"});
  loop.run_until([&] { return !a.listener.heard.empty() && a.listener.heard.back() == "gap t"; });
  loop.run_until([&] { return a.presence("room").count == 1; });
  loop.log.expect_any("RedisBroker: ");
}

TEST_CASE("processes with another number of partitions are heard while it is changed",
          "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  TestLoop loop;
  for (const bool is_sharded : {false, true}) {
    RedisBrokerOptions options = options_for(server);
    options.is_sharded = is_sharded;
    options.partitions = 4;
    options.also_partitions = {7};
    Process a(loop, options);
    std::swap(options.partitions, options.also_partitions[0]);
    Process b(loop, options);
    a.subscribe("x.y");
    b.subscribe("x.>");
    for (const char* topic : {"x.y", "x.z", "x.a.b", "x.c"}) {
      a.publish(topic, "a");
      b.publish(topic, "b");
    }
    CHECK(a.wait(2) == Lines{"x.y=a", "x.y=b"});
    CHECK(b.wait(8).size() == 8);
  }
}

TEST_CASE("members of all processes are listed, announced, and expire with their process",
          "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  TestLoop loop;
  RedisBrokerOptions options = options_for(server);
  options.member_lifetime = 500ms;
  Process a(loop, options);
  a.subscribe("room");
  auto b = std::make_unique<Process>(loop, options);
  b->subscribe("other");
  a.broker->join("room", {"c1", "ann", "A"});
  b->broker->join("room", {"c2", "bob", ""});
  Lines lines = a.wait(2);
  std::sort(lines.begin(), lines.end());
  CHECK(lines == Lines{"room=c1+", "room=c2+"});
  PresenceList list = a.presence("room");
  CHECK(list.is_complete);
  CHECK(list.count == 2);
  CHECK(list.members.size() == 2);
  CHECK(a.presence("room", 0).members.empty());
  CHECK(a.presence("room", 0).count == 2);
  CHECK(a.presence("nobody").count == 0);
  b.reset();  // as if it had died: its members are not renewed
  loop.run_until([&] { return a.presence("room").count == 1; });
  CHECK(a.presence("room").members == std::vector<PresenceMember>{{"c1", "ann", "A"}});
  a.broker->leave("room", {"c1", "ann", "A"});
  CHECK(a.wait(1) == Lines{"room=c1-"});
  CHECK(a.presence("room").count == 0);
  a.broker->join("room", {"c3", "", ""});
  a.wait(1);
  server.kill();
  loop.run_until([&] { return !a.presence("room").is_complete; });
  CHECK(a.presence("room").count == 1);
  server.start();
  loop.run_until([&] { return a.presence("room").is_complete && a.presence("room").count == 1; });
  loop.log.expect_any("RedisBroker: ");
}

TEST_CASE("members that could not be stored, because too much waits, are stored later",
          "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  TestLoop loop;
  RedisBrokerOptions options = options_for(server);
  options.member_lifetime = 300ms;
  options.heartbeat_interval = 1h;
  options.connection.client.max_waiting = 20;
  Process a(loop, options);
  a.subscribe("t");
  a.broker->join("room", {"c1", "ann", "A"});
  loop.run_until([&] { return a.presence("room").count == 1; });
  server.pause();
  for (int i = 0; i < 40; ++i) a.post("t", "x");
  loop.run_until([&] { return loop.log.expect_any("RedisBroker: cannot store members: ") > 0; });
  a.broker->join("room", {"c2", "bob", "B"});
  a.broker->leave("room", {"c2", "bob", "B"});
  server.resume();
  loop.run_until([&] { return a.results.size() == 40; });
  send_command(loop, server, {"FLUSHDB"});
  loop.run_until([&] { return a.presence("room").count == 1; });
  loop.log.expect_any("RedisBroker: cannot store members: ");
}

TEST_CASE("joins and leaves do not wait for a Redis that is away", "[redis_broker]") {
  TestLoop loop;
  const squall::testing::TemporaryFolder folder;
  RedisBrokerOptions options;
  options.server.unix_path = folder / "none.sock";
  options.when_down = WhenDown::queue;
  Process a(loop, options);
  a.broker->join("room", {"c0", "", ""});  // before the first attempt has failed
  a.subscribe("room");
  a.broker->join("room", {"c1", "ann", "A"});
  a.post("room", "waits");
  a.broker->leave("room", {"c1", "ann", "A"});
  CHECK(a.wait(3) == Lines{"room=c0+", "room=c1+", "room=c1-"});
  CHECK(a.results.empty());
  loop.log.expect("RedisBroker: cannot reach unix://");
}

TEST_CASE("without a Redis from the start everything works in this process", "[redis_broker]") {
  TestLoop loop;
  const squall::testing::TemporaryFolder folder;
  RedisBrokerOptions options;
  options.server.unix_path = folder / "none.sock";
  Process a(loop, options);
  a.subscribe("t");  // is confirmed when the first attempt fails
  CHECK(a.publish("t", "1", kHistory).status == Status::here);
  CHECK(a.wait(1) == Lines{"t=1"});
  CHECK(a.history("t") == "unavailable top 0");
  loop.log.expect("RedisBroker: cannot reach unix://");
}

TEST_CASE("a broker may be stopped and destroyed at any time of its link", "[redis_broker][redis-server]") {
  if (RedisServer::is_missing()) return;
  RedisServer server;
  for (int turns = 0; turns < 40; ++turns) {
    TestLoop loop;
    Process a(loop, options_for(server));
    a.broker->subscribe("t", {});
    a.post("t", "1", kHistory);
    a.broker->read_history("t", {}, [](HistoryPage) {});
    for (int i = 0; i < turns; ++i) loop.run_once(1ms);
    a.broker.reset();
    loop.run_turn();
    a.broker = std::make_unique<RedisBroker>(options_for(server), loop);
  }
}

TEST_CASE("functions outside of start() and a second start() are errors of the program", "[redis_broker]") {
  TestLoop loop;
  RedisBroker broker(RedisBrokerOptions{}, loop);
  CHECK_THROWS_AS(broker.subscribe("t", {}), std::logic_error);
  CHECK_THROWS_AS(RedisBroker(RedisBrokerOptions{.prefix = "{"}, loop), std::invalid_argument);
  CHECK_THROWS_AS(RedisBroker(RedisBrokerOptions{.also_partitions = {0}}, loop), std::invalid_argument);
}

}  // namespace
}  // namespace squall::websocket::redis_broker_test
