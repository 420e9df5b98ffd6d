// Histories: what a subscriber gets when it resumes, and when messages are lost.

#include <squall/websocket/hub/topic_group.h>

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "websocket/hub/fake_broker.h"
#include "websocket/hub/hub_scene.h"

namespace squall::websocket::topic_group_test {
namespace {

using testing::Client;
using testing::FakeBroker;
using testing::HubScene;
using testing::with_form;
using Status = HistoryPage::Status;

constexpr std::uint64_t kEpoch = 5;

HubOptions with_broker(FakeBroker::Log& log, std::size_t page_messages = 100) {
  HubOptions options = HubScene::with_history();
  options.broker = std::make_unique<FakeBroker>(log);
  options.page_messages = page_messages;
  return options;
}

// A hub whose broker is the test, and functions that collect what they get.
struct Scene {
  explicit Scene(std::size_t page_messages = 100) : scene(with_broker(log, page_messages)) {}

  // Collects payloads, and `gap:reason:offset`.
  std::string& subscribe(SubscribeOptions options = {}, std::string_view pattern = "kept.a") {
    std::string& got = *collected.emplace_back(std::make_unique<std::string>());
    options.on_gap = [&got](const Gap& gap) {
      got += fmt::format("gap:{}:{} ", to_string(gap.reason),
                         gap.position ? std::to_string(gap.position->offset) : "-");
    };
    scene.hub->subscribe(
        pattern, [&got](const TopicMessage& message) { got += *message.payload + ' '; }, options);
    scene.settle();
    return got;
  }
  std::string& resume(std::uint64_t offset, std::uint64_t epoch = kEpoch) {
    return subscribe({.resume = Position{epoch, offset}});
  }
  void deliver(std::uint64_t offset, std::uint64_t epoch = kEpoch) {
    log.deliver("kept.a", std::to_string(offset), Position{epoch, offset});
    scene.settle();
  }
  void answer(Status status, std::uint64_t first, std::uint64_t last, std::uint64_t top,
              std::uint64_t bottom = 0) {
    log.answer(status, kEpoch, first, last, top, bottom);
    scene.settle();
  }

  FakeBroker::Log log;
  HubScene scene;
  std::vector<std::unique_ptr<std::string>> collected;
};

TEST_CASE("a subscriber resumes behind its position, in pages, and then gets live messages",
          "[topic_group]") {
  Scene scene(2);
  std::string& got = scene.resume(1);
  CHECK(scene.log.next_read() == "1:2");
  scene.answer(Status::ok, 2, 3, 4);
  CHECK(scene.log.next_read() == "3:2");
  scene.answer(Status::ok, 4, 4, 4);
  CHECK(scene.log.next_read() == "none");
  scene.deliver(5);
  CHECK(got == "2 3 4 5 ");
}

TEST_CASE("live messages while a page is read are neither lost nor repeated", "[topic_group]") {
  Scene scene;
  std::string& got = scene.resume(1);
  scene.deliver(3);
  scene.deliver(4);
  CHECK(got == "");
  scene.answer(Status::ok, 2, 3, 3);  // read before message 4 was published
  CHECK(got == "2 3 ");
  CHECK(scene.log.next_read() == "3:100");
  scene.answer(Status::ok, 4, 4, 4);
  scene.deliver(5);
  CHECK(got == "2 3 4 5 ");
}

TEST_CASE("a page may be ahead of the live messages", "[topic_group]") {
  Scene scene;
  std::string& got = scene.resume(1);
  scene.answer(Status::ok, 2, 4, 4);
  scene.deliver(2);
  scene.deliver(3);
  scene.deliver(4);
  scene.deliver(5);
  CHECK(got == "2 3 4 5 ");
}

TEST_CASE("the last messages come first, and those behind them follow", "[topic_group]") {
  Scene scene;
  std::string& two = scene.subscribe({.last = 2});
  std::string& none = scene.subscribe();
  CHECK(scene.log.next_read() == "newest:2");
  scene.answer(Status::ok, 8, 9, 9, 3);
  scene.deliver(10);
  CHECK(two == "8 9 10 ");
  CHECK(none == "10 ");
}

TEST_CASE("a subscriber that wants more than there is gets all there is", "[topic_group]") {
  Scene scene;
  std::string& got = scene.subscribe({.last = 100});
  scene.answer(Status::ok, 1, 2, 2);
  CHECK(got == "1 2 ");
}

TEST_CASE("the reads of a storm are merged: each page serves all who wait for it", "[topic_group]") {
  Scene scene(10);
  std::vector<std::string*> all;
  for (std::uint64_t i = 0; i < 50; ++i) all.push_back(&scene.resume(i % 25));
  // The first read began alone.
  CHECK(scene.log.reads.size() == 1);
  int reads = 0;
  for (; !scene.log.reads.empty(); ++reads) {
    const std::uint64_t after = scene.log.reads.front().request.after->offset;
    scene.answer(Status::ok, after + 1, std::min<std::uint64_t>(after + 10, 30), 30);
  }
  CHECK(reads <= 4);
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string expected;
    for (std::size_t n = i % 25 + 1; n <= 30; ++n) expected += std::to_string(n) + ' ';
    CHECK(*all[i] == expected);
  }
}

TEST_CASE("clients that come later, further back, do not hold up the others", "[topic_group]") {
  Scene scene(2);
  std::vector<std::string*> late;
  std::string& got = scene.resume(1);
  for (int reads = 0; reads < 12 && got != "2 3 4 5 6 7 8 9 "; ++reads) {
    const std::uint64_t after = scene.log.reads.front().request.after->offset;
    late.push_back(&scene.resume(0));
    scene.answer(Status::ok, after + 1, std::min<std::uint64_t>(after + 2, 9), 9);
  }
  CHECK(got == "2 3 4 5 6 7 8 9 ");
  for (int reads = 0; reads < 20 && !scene.log.reads.empty(); ++reads) {
    const std::uint64_t after = scene.log.reads.front().request.after->offset;
    scene.answer(Status::ok, after + 1, std::min<std::uint64_t>(after + 2, 9), 9);
  }
  CHECK(scene.log.next_read() == "none");
  for (const std::string* one : late) CHECK(*one == "1 2 3 4 5 6 7 8 9 ");
}

TEST_CASE("clients whose position is forgotten do not hold up the others", "[topic_group]") {
  Scene scene(2);
  std::string& got = scene.resume(4);
  std::vector<std::string*> lost;
  for (int reads = 0; reads < 12 && got != "5 6 7 8 9 "; ++reads) {
    const std::uint64_t after = scene.log.reads.front().request.after->offset;
    lost.push_back(&scene.resume(0));
    if (after < 3) {
      scene.answer(Status::gap, 1, 0, 9, 3);
    } else {
      scene.answer(Status::ok, after + 1, std::min<std::uint64_t>(after + 2, 9), 9, 3);
    }
  }
  CHECK(got == "5 6 7 8 9 ");
  while (!scene.log.reads.empty()) scene.answer(Status::gap, 1, 0, 9, 3);
  for (const std::string* one : lost) CHECK(*one == "gap:forgotten:9 ");
}

TEST_CASE("a gap is told with the position behind which messages follow", "[topic_group]") {
  Scene scene;
  std::string& got = scene.resume(1);
  scene.answer(Status::gap, 1, 0, 9, 5);
  CHECK(got == "gap:forgotten:9 ");
  scene.deliver(9);
  scene.deliver(10);
  CHECK(got == "gap:forgotten:9 10 ");
}

TEST_CASE("a gap of one subscriber is not a gap of those who are further", "[topic_group]") {
  Scene scene;
  std::string& first = scene.resume(9);
  scene.answer(Status::ok, 1, 0, 9, 5);
  std::string& far = scene.resume(7);
  std::string& lost = scene.resume(1);
  std::string& also_lost = scene.resume(2);
  scene.answer(Status::ok, 8, 9, 9, 5);
  CHECK(far == "8 9 ");
  std::string& kept = scene.resume(6);
  CHECK(scene.log.next_read() == "1:100");
  scene.answer(Status::gap, 1, 0, 9, 5);
  CHECK(lost == "gap:forgotten:9 ");
  CHECK(also_lost == "gap:forgotten:9 ");
  scene.answer(Status::ok, 7, 9, 9, 5);
  CHECK(kept == "7 8 9 ");
  CHECK(first == "");
  CHECK(scene.log.next_read() == "none");
}

TEST_CASE("positions of another epoch, and without a history, are gaps", "[topic_group]") {
  Scene scene;
  std::string& other = scene.resume(4, kEpoch + 1);
  scene.answer(Status::gap, 1, 0, 9);
  CHECK(other == "gap:forgotten:9 ");
  std::string& none = scene.resume(4);
  scene.log.answer(Status::no_history, 0, 1, 0, 0);
  scene.scene.settle();
  CHECK(none == "gap:no_history:- ");
  std::string& fresh = scene.subscribe({.last = 5});
  scene.log.answer(Status::no_history, 0, 1, 0, 0);
  scene.scene.settle();
  scene.deliver(10);
  CHECK(fresh == "10 ");
}

TEST_CASE("while the broker cannot be reached, a subscriber that resumes has a gap, and goes live",
          "[topic_group]") {
  Scene scene;
  std::string& got = scene.resume(1);
  scene.log.answer(Status::unavailable, 0, 1, 0, 0);
  scene.scene.settle();
  scene.log.deliver("kept.a", "local");
  scene.scene.settle();
  CHECK(got == "gap:unavailable:- local ");
}

TEST_CASE("messages without a position are delivered while the history is read", "[topic_group]") {
  Scene scene;
  std::string& got = scene.resume(1);
  scene.log.deliver("kept.a", "local");
  scene.scene.settle();
  CHECK(got == "local ");
}

TEST_CASE("a history is read once the broker has confirmed the subscription", "[topic_group]") {
  Scene scene;
  scene.log.confirms_at_once = false;
  std::string& got = scene.resume(1);
  CHECK(scene.log.next_read() == "none");
  scene.log.confirmations.at(0)();
  scene.scene.settle();
  CHECK(scene.log.next_read() == "1:100");
  scene.answer(Status::ok, 2, 2, 2);
  CHECK(got == "2 ");
}

TEST_CASE("a jump of the offsets is mended from the history", "[topic_group]") {
  Scene scene;
  std::string& got = scene.subscribe();
  scene.deliver(1);
  scene.deliver(4);
  CHECK(scene.log.next_read() == "1:100");
  scene.deliver(5);
  scene.answer(Status::ok, 2, 5, 5);
  scene.deliver(6);
  CHECK(got == "1 2 3 4 5 6 ");
}

TEST_CASE("a message that comes twice is delivered once", "[topic_group]") {
  Scene scene;
  std::string& got = scene.subscribe();
  for (const std::uint64_t offset : {1, 2, 2, 1, 3}) scene.deliver(offset);
  CHECK(got == "1 2 3 ");
}

TEST_CASE("the first message of another epoch is delivered behind a gap", "[topic_group]") {
  Scene scene;
  std::string& got = scene.subscribe();
  scene.deliver(7);
  scene.deliver(1, kEpoch + 1);
  scene.deliver(2, kEpoch + 1);
  CHECK(got == "7 gap:forgotten:0 1 2 ");
}

TEST_CASE("a history that began anew while it was read is a gap", "[topic_group]") {
  Scene scene;
  std::string& got = scene.resume(1);
  scene.deliver(1, kEpoch + 1);
  scene.answer(Status::ok, 2, 2, 2);  // of the old history
  CHECK(scene.log.next_read() == "2:100");
  scene.log.answer(Status::gap, kEpoch + 1, 1, 0, 1);
  scene.scene.settle();
  scene.deliver(2, kEpoch + 1);
  CHECK(got == "2 gap:forgotten:1 2 ");
}

TEST_CASE("behind an interruption of the link the history is read, and others are told", "[topic_group]") {
  Scene scene;
  std::string& kept = scene.subscribe();
  std::string& fresh = scene.subscribe({}, "kept.b");
  std::string& wild = scene.subscribe({}, "kept.*");
  scene.deliver(1);
  for (const char* const pattern : {"kept.a", "kept.b", "kept.*"}) scene.log.listener->on_gap(pattern);
  scene.scene.settle();
  CHECK(scene.log.next_read() == "1:100");
  scene.answer(Status::ok, 2, 3, 3);
  scene.deliver(4);
  // The group has not seen 2 and 3 live, and asks once more.
  CHECK(scene.log.next_read() == "3:100");
  scene.answer(Status::ok, 4, 4, 4);
  scene.deliver(5);
  CHECK(scene.log.next_read() == "none");
  CHECK(kept == "1 2 3 4 5 ");
  CHECK(fresh == "gap:link:- ");
  CHECK(wild == "1 gap:link:- 4 5 ");
}

TEST_CASE("messages that are lost while a page is read are read behind it", "[topic_group]") {
  Scene scene;
  std::string& got = scene.resume(1);
  scene.log.listener->on_gap("kept.a");
  scene.scene.settle();
  scene.answer(Status::ok, 2, 2, 2);  // read before message 3, which was lost
  CHECK(scene.log.next_read() == "2:100");
  scene.answer(Status::ok, 3, 3, 3);
  CHECK(scene.log.next_read() == "none");
  scene.deliver(4);
  CHECK(got == "2 3 4 ");
}

TEST_CASE("a first message that is lost while a history without messages is read is read behind it",
          "[topic_group]") {
  Scene scene;
  std::string& got = scene.subscribe({.last = 5});
  scene.log.listener->on_gap("kept.a");
  scene.scene.settle();
  scene.log.answer(Status::no_history, 0, 1, 0, 0);
  scene.scene.settle();
  CHECK(scene.log.next_read() == "newest:5");
  scene.answer(Status::ok, 1, 1, 1);
  scene.deliver(2);
  CHECK(got == "1 2 ");
}

TEST_CASE("messages that the loop was too slow for are read from the history", "[topic_group]") {
  HubOptions options = HubScene::with_history();
  options.max_inbox_messages = 2;
  HubScene scene(std::move(options));
  std::string kept;
  std::string other;
  scene.hub->subscribe("kept.a", [&](const TopicMessage& message) { kept += *message.payload + ' '; });
  SubscribeOptions with_gaps;
  with_gaps.on_gap = [&](const Gap& gap) { other += std::string(to_string(gap.reason)) + ' '; };
  scene.hub->subscribe("b", [&](const TopicMessage& message) { other += *message.payload + ' '; }, with_gaps);
  scene.publish_numbers("kept.a", 1, 5);
  scene.settle();
  CHECK(kept == "1 2 3 4 5 ");
  CHECK(other == "overflow ");
}

TEST_CASE("a subscriber that ends in its own page gets no more", "[topic_group]") {
  FakeBroker::Log log;
  HubScene scene(with_broker(log));
  std::string got;
  SubscriptionId id{};
  id = scene.hub->subscribe("kept.a",
                            [&](const TopicMessage& message) {
                              got += *message.payload + ' ';
                              if (got == "2 3 ") scene.hub->unsubscribe(id);
                            },
                            {.resume = Position{kEpoch, 1}});
  std::string other;
  scene.hub->subscribe("kept.a", [&](const TopicMessage& message) { other += *message.payload + ' '; },
                       {.resume = Position{kEpoch, 1}});
  scene.settle();
  while (!log.reads.empty()) {
    log.answer(Status::ok, kEpoch, 2, 5, 5);
    scene.settle();
  }
  CHECK(got == "2 3 ");
  CHECK(other == "2 3 4 5 ");
}

TEST_CASE("a page for subscribers that have all gone is dropped", "[topic_group]") {
  Scene scene;
  std::string got;
  const SubscriptionId id = scene.scene.hub->subscribe("kept.a", [](const TopicMessage&) {}, {.last = 1});
  scene.scene.settle();
  REQUIRE(scene.log.reads.size() == 1);
  scene.scene.hub->unsubscribe(id);
  std::string& later = scene.resume(5);
  REQUIRE(scene.log.reads.size() == 2);
  scene.answer(Status::ok, 1, 1, 1);  // for the subscriber that has gone
  CHECK(later == "");
  scene.answer(Status::ok, 6, 6, 6);
  CHECK(later == "6 ");
}

TEST_CASE("an exception of on_gap is logged, and the subscriber goes live", "[topic_group]") {
  Scene scene;
  std::string got;
  SubscribeOptions options{.resume = Position{kEpoch, 1}};
  options.on_gap = [](const Gap&) { throw std::runtime_error("no"); };
  scene.scene.hub->subscribe(
      "kept.a", [&](const TopicMessage& message) { got += *message.payload; }, options);
  scene.scene.settle();
  scene.answer(Status::gap, 1, 0, 9);
  scene.deliver(10);
  CHECK(got == "10");
  scene.scene.loop.log.expect("Exception in on_gap of a subscription to kept.a: no");
}

TEST_CASE("on_gap may unsubscribe", "[topic_group]") {
  Scene scene;
  std::string got;
  SubscriptionId id{};
  SubscribeOptions options{.resume = Position{kEpoch, 1}};
  options.on_gap = [&](const Gap&) { scene.scene.hub->unsubscribe(id); };
  id = scene.scene.hub->subscribe(
      "kept.a", [&](const TopicMessage& message) { got += *message.payload; }, options);
  scene.scene.settle();
  scene.answer(Status::gap, 1, 0, 9);
  scene.deliver(10);
  CHECK(got == "");
}

TEST_CASE("a broker that breaks its promise does not make the group read for ever", "[topic_group]") {
  Scene scene;
  std::string& got = scene.resume(1);
  scene.answer(Status::ok, 1, 0, 9);  // nothing behind 1, but the top is 9
  CHECK(got == "gap:forgotten:9 ");
  CHECK(scene.log.next_read() == "none");
}

TEST_CASE("WebSockets are told where messages follow, and of gaps", "[topic_group]") {
  HubScene scene(HubScene::with_history(2));
  scene.publish_numbers("kept.a", 1, 1);
  Client client(scene.loop);
  scene.hub->subscribe(*client.socket, "kept.a", with_form(Form::header));
  scene.loop.run_until([&] { return client.received().ends_with("} "); });
  const std::string subscribed = client.received();
  CHECK(subscribed.starts_with("subscribed kept.a "));
  const std::string epoch = subscribed.substr(18, 16);
  CHECK(subscribed.substr(34, 3) == "-1\n");
  scene.publish_numbers("kept.a", 2, 2);
  scene.expect(client, subscribed + fmt::format("message kept.a {}-2\n2 ", epoch));
  scene.publish_numbers("kept.a", 3, 9);
  Client late(scene.loop);
  SubscribeOptions options = with_form(Form::json);
  options.resume = parse_position(epoch + "-2");
  scene.hub->subscribe(*late.socket, "kept.a", options);
  scene.expect(
      late,
      fmt::format(R"({{"type":"gap","topic":"kept.a","reason":"forgotten","position":"{}-9"}} )", epoch));
}

}  // namespace
}  // namespace squall::websocket::topic_group_test
