// Many histories with common limits.

#include <squall/websocket/hub/memory_topics.h>

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "support/catch.h"
#include "support/growth.h"

namespace squall::websocket::memory_topics_test {
namespace {

using namespace std::chrono_literals;
using Status = HistoryPage::Status;

struct Scene {
  Scene(std::size_t max_topics, std::size_t max_bytes) : topics(max_topics, max_bytes) {}

  Position add(std::string_view topic, std::string payload) {
    TopicMessage message;
    message.topic = topic;
    message.payload = std::make_shared<const std::string>(std::move(payload));
    return *topics.add(std::move(message), limits, now, ++epochs)->position;
  }
  HistoryPage read(std::string_view topic) { return topics.read(topic, {.max_messages = 1000}, now); }

  MemoryTopics topics;
  HistoryLimits limits{};
  MemoryTopics::TimePoint now{};
  std::uint64_t epochs = 100;
};

TEST_CASE("each topic has its own epoch and offsets", "[memory_topics]") {
  Scene scene(10, 1000);
  CHECK(scene.add("a", "1") == Position{101, 1});
  CHECK(scene.add("b", "2") == Position{102, 1});
  CHECK(scene.add("a", "3") == Position{101, 2});
  CHECK(scene.read("a").messages.size() == 2);
  CHECK(scene.read("c").status == Status::no_history);
}

TEST_CASE("beyond the topics the one that is quiet for longest is forgotten, and begins anew",
          "[memory_topics]") {
  Scene scene(2, 1000);
  const Position before = scene.add("a", "1");
  scene.add("b", "1");
  scene.add("a", "2");
  scene.add("c", "1");
  CHECK(scene.read("b").status == Status::no_history);
  CHECK(scene.read("a").messages.size() == 2);
  CHECK(scene.topics.size() == 2);
  const Position after = scene.add("b", "2");
  CHECK(after.offset == 1);
  CHECK(after.epoch != before.epoch);
  CHECK(scene.read("a").status == Status::no_history);
}

TEST_CASE("beyond the bytes topics are forgotten, but for the newest one", "[memory_topics]") {
  Scene scene(10, 10);
  scene.add("a", "12345");
  scene.add("b", "12345");
  CHECK(scene.topics.bytes() == 10);
  scene.add("c", "1");
  CHECK(scene.read("a").status == Status::no_history);
  CHECK(scene.topics.bytes() == 6);
  scene.add("d", std::string(50, 'x'));
  CHECK(scene.topics.size() == 1);
  CHECK(scene.read("d").messages.size() == 1);
}

TEST_CASE("the messages of quiet topics are freed at their age, and their positions stay",
          "[memory_topics]") {
  Scene scene(100, 1'000'000);
  scene.limits.max_age = 10s;
  for (int i = 0; i < 50; ++i) scene.add(fmt::format("quiet.{}", i), std::string(100, 'x'));
  scene.now += 11s;
  for (int i = 0; i < 50; ++i) scene.add("busy", "y");
  CHECK(scene.topics.bytes() == 50);
  CHECK(scene.read("quiet.7").status == Status::ok);
  CHECK(scene.read("quiet.7").top.offset == 1);
  CHECK(scene.add("quiet.7", "z").offset == 2);
}

TEST_CASE("publishing to many topics takes linear time, also beyond the limits", "[memory_topics]") {
  CHECK(squall::testing::growth(2000, [](std::size_t size) {
          Scene scene(size / 2, size * 10);
          for (std::size_t i = 0; i < size; ++i) scene.add(fmt::format("t.{}", i), std::string(50, 'x'));
          CHECK(scene.topics.size() <= size / 2);
        }) < squall::testing::kMostLinearGrowth);
}

}  // namespace
}  // namespace squall::websocket::memory_topics_test
