// The newest messages of a topic.

#include <squall/websocket/hub/topic_history.h>

#include <chrono>
#include <memory>
#include <string>

#include "support/catch.h"

namespace squall::websocket::topic_history_test {
namespace {

using namespace std::chrono_literals;
using Status = HistoryPage::Status;

constexpr std::uint64_t kEpoch = 7;

struct Scene {
  void add(std::string payload) {
    TopicMessage message;
    message.payload = std::make_shared<const std::string>(std::move(payload));
    history.add(std::move(message), limits, now);
  }
  void add_numbers(int first, int last) {
    for (int i = first; i <= last; ++i) add(std::to_string(i));
  }
  // The status, the payloads with their offsets, and the ends of the history.
  std::string read(const HistoryRequest& request) {
    const HistoryPage page = history.read(request, now);
    std::string text = page.status == Status::ok ? "ok " : page.status == Status::gap ? "gap " : "? ";
    for (const SharedMessage& message : page.messages) {
      CHECK(message->position->epoch == kEpoch);
      text += *message->payload + '@' + std::to_string(message->position->offset) + ' ';
    }
    CHECK(page.top.epoch == kEpoch);
    return text + std::to_string(page.bottom.offset) + ".." + std::to_string(page.top.offset);
  }
  std::string after(std::uint64_t offset, std::size_t max_messages = 100) {
    return read({.after = Position{kEpoch, offset}, .max_messages = max_messages});
  }

  TopicHistory history{kEpoch};
  HistoryLimits limits{};
  TopicHistory::TimePoint now{};
};

TEST_CASE("messages get consecutive offsets from 1 on, and are read behind a position", "[topic_history]") {
  Scene scene;
  CHECK(scene.after(0) == "ok 0..0");
  scene.add_numbers(1, 3);
  CHECK(scene.after(0) == "ok 1@1 2@2 3@3 0..3");
  CHECK(scene.after(2) == "ok 3@3 0..3");
  CHECK(scene.after(3) == "ok 0..3");
  CHECK(scene.history.top() == Position{kEpoch, 3});
}

TEST_CASE("a page has at most max_messages, and max_bytes but for its first message", "[topic_history]") {
  Scene scene;
  scene.add_numbers(1, 5);
  CHECK(scene.after(0, 2) == "ok 1@1 2@2 0..5");
  CHECK(scene.after(0, 0) == "ok 0..5");
  CHECK(scene.read({.after = Position{kEpoch, 1}, .max_bytes = 3}) == "ok 2@2 3@3 4@4 0..5");
  CHECK(scene.read({.after = Position{kEpoch, 1}, .max_bytes = 0}) == "ok 2@2 0..5");
}

TEST_CASE("without a position a page has the newest messages", "[topic_history]") {
  Scene scene;
  CHECK(scene.read({}) == "ok 0..0");
  scene.add_numbers(1, 5);
  CHECK(scene.read({.max_messages = 2}) == "ok 4@4 5@5 0..5");
  CHECK(scene.read({.max_messages = 9}) == "ok 1@1 2@2 3@3 4@4 5@5 0..5");
  CHECK(scene.read({.max_messages = 0}) == "ok 0..5");
  CHECK(scene.read({.max_bytes = 2}) == "ok 4@4 5@5 0..5");
  CHECK(scene.read({.max_bytes = 0}) == "ok 5@5 0..5");
}

TEST_CASE("a position that is forgotten, not there yet, or of another epoch is a gap", "[topic_history]") {
  Scene scene;
  scene.limits.max_messages = 2;
  scene.add_numbers(1, 5);
  CHECK(scene.after(3) == "ok 4@4 5@5 3..5");
  CHECK(scene.after(2) == "gap 3..5");
  CHECK(scene.after(6) == "gap 3..5");
  CHECK(scene.read({.after = Position{kEpoch + 1, 4}}) == "gap 3..5");
  CHECK(scene.read({.after = Position{kEpoch, ~std::uint64_t{0}}}) == "gap 3..5");
}

TEST_CASE("the oldest messages are forgotten beyond the bytes", "[topic_history]") {
  Scene scene;
  scene.limits.max_bytes = 10;
  scene.add("12345");
  scene.add("12345");
  CHECK(scene.history.bytes() == 10);
  scene.add("1");
  CHECK(scene.after(1) == "ok 12345@2 1@3 1..3");
  CHECK(scene.history.bytes() == 6);
  scene.add("12345678901");
  CHECK(scene.history.size() == 0);
  CHECK(scene.after(4) == "ok 4..4");
  CHECK(scene.after(3) == "gap 4..4");
}

TEST_CASE("messages are forgotten at their age, and the position stays", "[topic_history]") {
  Scene scene;
  scene.limits.max_age = 10s;
  scene.add("a");
  scene.now += 6s;
  scene.add("b");
  CHECK(scene.after(0) == "ok a@1 b@2 0..2");
  scene.now += 4s;
  CHECK(scene.after(1) == "ok b@2 1..2");
  CHECK(scene.after(0) == "gap 1..2");
  scene.now += 6s;
  CHECK(scene.after(2) == "ok 2..2");
  scene.add("c");
  CHECK(scene.after(2) == "ok c@3 2..3");
}

TEST_CASE("the longest age does not overflow", "[topic_history]") {
  Scene scene;
  scene.limits.max_age = std::chrono::hours::max();
  scene.now += 1h;
  scene.add("a");
  scene.now += 24h;
  CHECK(scene.after(0) == "ok a@1 0..1");
}

}  // namespace
}  // namespace squall::websocket::topic_history_test
