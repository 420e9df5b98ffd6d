// Slow clients of a hub: queues of subscriptions, and pages that wait.

#include <squall/websocket/hub/receiver.h>

#include <squall/ioloop/sync/event.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "websocket/hub/fake_broker.h"
#include "websocket/hub/hub_scene.h"

namespace squall::websocket::receiver_test {
namespace {

using testing::Client;
using testing::HubScene;
using testing::with_form;
using WhenFull = QueueOptions::WhenFull;

SubscribeOptions with_queue(WhenFull when_full, std::size_t max_messages = 3) {
  SubscribeOptions options;
  options.queue.emplace();
  options.queue->when_full = when_full;
  options.queue->max_messages = max_messages;
  return options;
}

// Publishes five messages; returns the number of dropped ones, and the messages that a slow client gets.
std::string five_to_slow_client(WhenFull when_full, std::string_view last) {
  HubScene scene;
  Client client(scene.loop);
  const SubscriptionId id = scene.hub->subscribe(*client.socket, "a", with_queue(when_full));
  client.get_stuck(scene.loop);
  scene.publish_numbers("a", 1, 5);
  scene.settle();
  const std::uint64_t dropped = scene.hub->dropped_messages(id);
  std::string got;
  scene.loop.run_until([&] {
    got = client.received();
    return got.ends_with(last);
  });
  return std::to_string(dropped) + ": " + got;
}

TEST_CASE("messages to a slow client wait in the queue of the subscription", "[receiver]") {
  CHECK(five_to_slow_client(WhenFull::drop_oldest, "5 ") == "2: 3 4 5 ");
  CHECK(five_to_slow_client(WhenFull::drop_newest, "3 ") == "2: 1 2 3 ");
  CHECK(five_to_slow_client(WhenFull::keep_latest, "5 ") == "4: 5 ");
}

TEST_CASE("a slow client is closed with 1013 if its queue asks for it", "[receiver]") {
  HubScene scene;
  Client client(scene.loop);
  const SubscriptionId id = scene.hub->subscribe(*client.socket, "a", with_queue(WhenFull::close));
  client.get_stuck(scene.loop);
  scene.publish_numbers("a", 1, 5);
  scene.settle();
  CHECK(scene.hub->dropped_messages(id) >= 4);
  scene.loop.run_until([&] { return client.received().ends_with("!1013"); });
  CHECK(client.close_reason == "too slow");
}

TEST_CASE("each subscription of a slow client has its own queue, and all are emptied", "[receiver]") {
  HubScene scene;
  Client client(scene.loop);
  scene.hub->subscribe(*client.socket, "a", with_queue(WhenFull::keep_latest));
  scene.hub->subscribe(*client.socket, "b", with_queue(WhenFull::drop_oldest, 100));
  client.get_stuck(scene.loop);
  scene.publish_numbers("a", 1, 5);
  scene.publish_numbers("b", 11, 14);
  std::string got;
  scene.loop.run_until([&] {
    got = client.received();
    return got.ends_with("14 ");
  });
  CHECK(got == "5 11 12 13 14 ");
  // The client is quick again.
  scene.publish_numbers("a", 6, 7);
  scene.loop.run_until([&] { return client.received() == "5 11 12 13 14 6 7 "; });
}

TEST_CASE("a slow client delays no other", "[receiver]") {
  HubScene scene;
  Client slow(scene.loop);
  Client quick(scene.loop);
  scene.hub->subscribe(*slow.socket, "a", with_queue(WhenFull::drop_oldest));
  scene.hub->subscribe(*quick.socket, "a");
  slow.get_stuck(scene.loop);
  scene.publish_numbers("a", 1, 5);
  scene.expect(quick, "1 2 3 4 5 ");
}

TEST_CASE("a slow client may leave, or unsubscribe, while messages wait for it", "[receiver]") {
  HubScene scene;
  auto client = std::make_unique<Client>(scene.loop);
  const SubscriptionId id = scene.hub->subscribe(*client->socket, "a", with_queue(WhenFull::drop_oldest));
  scene.hub->subscribe(*client->socket, "a", with_queue(WhenFull::drop_oldest));
  client->get_stuck(scene.loop);
  scene.publish_numbers("a", 1, 5);
  scene.settle();
  CHECK(scene.hub->unsubscribe(id));
  client.reset();
  scene.settle();
}

// A receiver whose room is the test's.
struct Gate {
  bool has_room = false;
  Event drained;
  int waits = 0;
  std::string got;  // payloads, each followed by a blank
};

class GatedReceiver final : public Receiver {
 public:
  GatedReceiver(IOLoop& loop, Gate& gate) : Receiver(loop), gate_(gate) {}
  bool has_room() noexcept override { return gate_.has_room; }
  void post(const MessageForms& forms, Form) override { gate_.got += *forms.message().payload + ' '; }
  void post(const Notice&, Form) override {}
  void close_slow() noexcept override {}
  void close_for_restart(TimeSpan) noexcept override {}

 private:
  Task<> drained() override {
    ++gate_.waits;
    co_await gate_.drained.wait();
  }
  Gate& gate_;
};

TEST_CASE("bytes that wait although all was sent do not keep the loop busy", "[receiver]") {
  Gate gate;
  HubScene scene;
  gate.drained.set();
  scene.hub->subscribe(std::make_unique<GatedReceiver>(scene.loop, gate), "a",
                       with_queue(WhenFull::drop_oldest), scene.loop);
  scene.publish_numbers("a", 1, 2);
  bool is_over = false;
  scene.loop.call_later(std::chrono::milliseconds(100), [&] { is_over = true; });
  scene.loop.run_until([&] { return is_over; });
  CHECK(gate.waits < 150);
  CHECK(gate.got == "");
  gate.has_room = true;
  scene.loop.run_until([&] { return gate.got == "1 2 "; });
}

// Message 1 waits in the queue of the subscription when the link fails.
TEST_CASE("a page does not overtake the messages in the queue of the subscription", "[receiver]") {
  for (const bool is_page_first : {false, true}) {
    Gate gate;
    testing::FakeBroker::Log log;
    HubOptions options = HubScene::with_history();
    options.broker = std::make_unique<testing::FakeBroker>(log);
    HubScene scene(std::move(options));
    scene.hub->subscribe(std::make_unique<GatedReceiver>(scene.loop, gate), "kept.a",
                         with_queue(WhenFull::drop_oldest), scene.loop);
    log.deliver("kept.a", "1", Position{5, 1});
    scene.settle();
    log.listener->on_gap("kept.a");
    scene.settle();
    REQUIRE(log.next_read() == "1:100");
    gate.has_room = true;
    if (!is_page_first) gate.drained.set();
    scene.settle();
    log.answer(HistoryPage::Status::ok, 5, 2, 2, 2);
    scene.settle();
    gate.drained.set();
    scene.settle();
    if (is_page_first) log.answer(HistoryPage::Status::ok, 5, 2, 2, 2);
    scene.settle();
    CHECK(log.next_read() == "none");
    CHECK(gate.got == "1 2 ");
  }
}

// The history is larger than the stream's share of unsent bytes.
TEST_CASE("a history is replayed as fast as a slow client reads, and nothing is dropped", "[receiver]") {
  HubOptions options;
  options.history.push_back({"kept.>", {.max_messages = 1000, .max_bytes = 8 * 1024 * 1024}});
  HubScene scene(std::move(options));
  const std::string filler(4000, 'x');
  Position first;
  PublishOptions publish;
  publish.done = [&](const Published& published) { first = {published.position->epoch, 0}; };
  for (int i = 1; i <= 500; ++i) scene.hub->publish("kept.a", std::to_string(i) + filler, publish);
  ConnectionOptions small;
  small.queue.max_messages = 2;
  Client client(scene.loop, small);
  SubscribeOptions from_first;
  from_first.resume = first;
  client.get_stuck(scene.loop);
  scene.hub->subscribe(*client.socket, "kept.a", from_first);
  scene.settle();
  CHECK(client.socket->waiting_bytes() < Client::kFill + 2 * SendQueue::kHighWater);
  std::string expected;
  for (int i = 1; i <= 501; ++i) expected += std::to_string(i) + filler + ' ';
  std::string got;
  scene.hub->publish("kept.a", "501" + filler);
  scene.loop.run_until([&] {
    got = client.received();
    return got.size() >= expected.size();
  });
  CHECK((got == expected));
}

TEST_CASE("a client that leaves while its history is replayed is forgotten", "[receiver]") {
  HubScene scene(HubScene::with_history());
  scene.publish_numbers("kept.a", 1, 10);
  SubscribeOptions options;
  options.last = 10;
  for (int turns = 0; turns < 5; ++turns) {
    auto client = std::make_unique<Client>(scene.loop);
    if (turns >= 3) client->get_stuck(scene.loop);
    scene.hub->subscribe(*client->socket, "kept.a", options);
    for (int i = 0; i < turns; ++i) scene.loop.run_turn();
    client.reset();
    scene.settle();
  }
}

}  // namespace
}  // namespace squall::websocket::receiver_test
