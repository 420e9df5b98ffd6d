// The broker of one process.

#include <squall/websocket/hub/memory_broker.h>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/catch.h"

namespace squall::websocket::memory_broker_test {
namespace {

using Kind = TopicMessage::Kind;

struct Listener final : BrokerListener {
  void on_message(const SharedMessage& message) noexcept override {
    const std::lock_guard lock(mutex);
    messages.push_back(message);
  }
  void on_gap(std::string_view) noexcept override { ++gaps; }

  std::mutex mutex;
  std::vector<SharedMessage> messages;
  int gaps = 0;
};

TopicMessage message_to(std::string_view topic, std::string payload) {
  TopicMessage message;
  message.topic = topic;
  message.payload = std::make_shared<const std::string>(std::move(payload));
  return message;
}

struct Scene {
  explicit Scene(const MemoryBroker::Options& options = {}) : broker(options) { broker.start(listener); }
  ~Scene() { broker.stop(); }

  Published publish(std::string_view topic, std::string payload,
                    const std::optional<HistoryLimits>& limits = HistoryLimits()) {
    Published result{Published::Status::refused};
    broker.publish(message_to(topic, std::move(payload)), limits,
                   [&](const Published& got) { result = got; });
    return result;
  }
  PresenceList presence(std::string_view topic, std::size_t max_members = 100) {
    PresenceList result;
    broker.read_presence(topic, max_members, [&](PresenceList list) { result = std::move(list); });
    return result;
  }

  Listener listener;
  MemoryBroker broker;
};

TEST_CASE("the listener gets a message before publish() returns, with its position", "[memory_broker]") {
  Scene scene;
  const Published first = scene.publish("a", "1");
  REQUIRE(scene.listener.messages.size() == 1);
  CHECK(first.status == Published::Status::everywhere);
  CHECK(first.position == scene.listener.messages[0]->position);
  CHECK(first.position->offset == 1);
  CHECK(first.position->epoch != 0);
  CHECK(scene.publish("a", "2").position == Position{first.position->epoch, 2});
  CHECK_FALSE(scene.publish("a", "3", std::nullopt).position.has_value());
  CHECK_FALSE(scene.listener.messages[2]->position.has_value());
  HistoryPage page;
  scene.broker.read_history("a", {}, [&](HistoryPage read) { page = std::move(read); });
  CHECK(page.messages.size() == 2);
}

TEST_CASE("two brokers have different epochs", "[memory_broker]") {
  Scene one;
  Scene other;
  CHECK(one.publish("a", "1").position->epoch != other.publish("a", "1").position->epoch);
}

TEST_CASE("a subscription is confirmed at once", "[memory_broker]") {
  Scene scene;
  bool is_confirmed = false;
  scene.broker.subscribe("a.*", [&] { is_confirmed = true; });
  CHECK(is_confirmed);
  scene.broker.subscribe("b.*", {});
  scene.broker.unsubscribe("a.*");
}

TEST_CASE("members join and leave once, and are listed", "[memory_broker]") {
  Scene scene;
  const PresenceMember ann{"c-1", "ann", "data"};
  const PresenceMember bob{"c-2", "bob", ""};
  scene.broker.join("room", ann);
  scene.broker.join("room", ann);
  scene.broker.join("room", bob);
  scene.broker.join("other", bob);
  CHECK(scene.presence("room").count == 2);
  CHECK(scene.presence("room").members.size() == 2);
  CHECK(scene.presence("room", 1).members.size() == 1);
  CHECK(scene.presence("room", 0).members.empty());
  CHECK(scene.presence("room", 0).count == 2);
  scene.broker.leave("room", ann);
  scene.broker.leave("room", ann);
  CHECK(scene.presence("room").members == std::vector<PresenceMember>{bob});
  CHECK(scene.presence("other").count == 1);
  CHECK(scene.presence("nowhere").count == 0);
  REQUIRE(scene.listener.messages.size() == 4);
  CHECK(scene.listener.messages[0]->kind == Kind::join);
  CHECK(scene.listener.messages[0]->topic == "room");
  CHECK(scene.listener.messages[0]->member == ann);
  CHECK(scene.listener.messages[3]->kind == Kind::leave);
}

TEST_CASE("members beyond the limit are not listed", "[memory_broker]") {
  Scene scene({.max_members = 1});
  scene.broker.join("room", {"c-1", "ann", ""});
  scene.broker.join("room", {"c-2", "bob", ""});
  CHECK(scene.presence("room").count == 1);
  scene.broker.leave("room", {"c-1", "ann", ""});
  scene.broker.join("room", {"c-2", "bob", ""});
  CHECK(scene.presence("room").members.at(0).user == "bob");
}

TEST_CASE("a broker that does not run refuses messages", "[memory_broker]") {
  MemoryBroker broker;
  CHECK_THROWS_AS(broker.publish(message_to("a", "1"), std::nullopt, {}), std::logic_error);
  Listener listener;
  broker.start(listener);
  broker.publish(message_to("a", "1"), std::nullopt, {});
  broker.stop();
  CHECK_THROWS_AS(broker.join("a", {}), std::logic_error);
  CHECK(listener.messages.size() == 1);
}

TEST_CASE("messages of many threads arrive in the order of their positions", "[memory_broker][threads]") {
  Scene scene;
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&scene] {
      for (int n = 0; n < kEach; ++n) scene.broker.publish(message_to("a", "x"), HistoryLimits(), {});
    });
  for (std::thread& thread : threads) thread.join();
  REQUIRE(scene.listener.messages.size() == kThreads * kEach);
  std::uint64_t offset = 0;
  for (const SharedMessage& message : scene.listener.messages) CHECK(message->position->offset == ++offset);
}

}  // namespace
}  // namespace squall::websocket::memory_broker_test
