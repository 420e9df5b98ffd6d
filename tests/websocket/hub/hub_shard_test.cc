// The lifetimes of hubs, loops and connections, and several loops.

#include <squall/websocket/hub/hub_shard.h>

#include <squall/ioloop/process/run_loops.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "websocket/hub/hub_scene.h"

namespace squall::websocket::hub_shard_test {
namespace {

using namespace std::chrono_literals;
using testing::Client;
using testing::HubScene;
using testing::TestLoop;

TEST_CASE("a subscription ends with its connection: destroyed, closed by the peer, or reset", "[hub_shard]") {
  HubScene scene;
  {
    Client client(scene.loop);
    scene.hub->subscribe(*client.socket, "a");
  }
  scene.hub->publish("a", "1");
  scene.settle();
  for (const bool is_reset : {false, true}) {
    Client client(scene.loop);
    const SubscriptionId id = scene.hub->subscribe(*client.socket, "a");
    scene.hub->publish("a", "1");
    is_reset ? client.peer.reset() : client.peer.close();
    scene.loop.run(client.socket->wait_closed());
    CHECK_FALSE(scene.hub->unsubscribe(id));
    scene.hub->publish("a", "2");
    scene.settle();
  }
}

TEST_CASE("a function may destroy connections that are to get the same message", "[hub_shard]") {
  HubScene scene;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(std::make_unique<Client>(scene.loop));
  scene.hub->subscribe(*clients[0]->socket, "a");
  scene.hub->subscribe("a", [&](const TopicMessage&) {
    clients[0].reset();
    clients[2].reset();
    clients.push_back(std::make_unique<Client>(scene.loop));
    scene.hub->subscribe(*clients.back()->socket, "a");
  });
  scene.hub->subscribe(*clients[1]->socket, "a");
  scene.hub->subscribe(*clients[2]->socket, "a");
  scene.hub->publish("a", "1");
  scene.expect(*clients[1], "1 ");
  CHECK(clients.size() == 4);
  CHECK(clients[3]->received() == "");
}

TEST_CASE("a function may destroy the hub", "[hub_shard]") {
  HubScene scene;
  int calls = 0;
  scene.hub->subscribe("a", [&](const TopicMessage&) {
    ++calls;
    scene.hub.reset();
  });
  Client client(scene.loop);
  scene.hub->subscribe(*client.socket, "a");
  scene.hub->publish("a", "1");
  scene.hub->publish("a", "2");
  scene.settle();
  CHECK(calls == 1);
  CHECK(client.received() == "");
}

TEST_CASE("a hub may be destroyed before its connections, with messages under way", "[hub_shard]") {
  HubScene scene;
  Client client(scene.loop);
  Subscription held = scene.hub->hold(scene.hub->subscribe(*client.socket, "a"));
  scene.hub->publish("a", "1");
  scene.hub.reset();
  scene.settle();
  CHECK_FALSE(held.unsubscribe());
  client.socket->write_message("still open");
  scene.expect(client, "still open ");
}

TEST_CASE("a loop may end before the hub and the connections", "[hub_shard]") {
  Hub hub;
  std::optional<Client> client;
  {
    TestLoop loop;
    client.emplace(loop);
    hub.subscribe(*client->socket, "a");
    hub.subscribe("a", [](const TopicMessage&) { FAIL("the loop has ended"); }, {}, loop);
    hub.publish("a", "1");
  }
  hub.publish("a", "2");
  // Another loop, which may have the same address.
  TestLoop loop;
  std::string got;
  hub.subscribe("a", [&](const TopicMessage& message) { got += *message.payload; }, {}, loop);
  hub.publish("a", "3");
  loop.run_until([&] { return !got.empty(); });
  CHECK(got == "3");
  client.reset();
}

TEST_CASE("what a subscription captures is destroyed with it", "[hub_shard]") {
  HubScene scene;
  const auto captured = std::make_shared<int>(1);
  SubscribeOptions options;
  options.on_gap = [captured](const Gap&) {};
  const SubscriptionId id = scene.hub->subscribe("a", [captured](const TopicMessage&) {}, options);
  options.on_gap = nullptr;
  CHECK(captured.use_count() == 3);
  scene.hub->unsubscribe(id);
  CHECK(captured.use_count() == 1);
}

TEST_CASE("other work of the loop goes on between many deliveries", "[hub_shard]") {
  HubScene scene;
  std::size_t got = 0;
  for (int i = 0; i < 1000; ++i) scene.hub->subscribe("a", [&](const TopicMessage&) { ++got; });
  for (int i = 0; i < 100; ++i) scene.hub->publish("a", "x");
  std::size_t got_before_timer = 0;
  scene.loop.call_later(0ms, [&] { got_before_timer = got; });
  scene.loop.run_until([&] { return got == 100'000; });
  CHECK(got_before_timer > 0);
  CHECK(got_before_timer < 50'000);
}

TEST_CASE("messages that come while others are delivered do not make a turn longer", "[hub_shard]") {
  HubScene scene;
  std::size_t got = 0;
  for (int i = 0; i < 1000; ++i) scene.hub->subscribe("a", [&](const TopicMessage&) { ++got; });
  std::size_t most = 0;
  std::size_t before = 0;
  std::function<void()> probe = [&] {
    most = std::max(most, got - before);
    before = got;
    if (got > 0 && got < 200'000) scene.hub->publish("a", "later");
    if (got < 300'000) scene.loop.add_callback(probe);
  };
  scene.loop.add_callback(probe);
  for (int i = 0; i < 300; ++i) scene.hub->publish("a", "x");
  scene.loop.run_until([&] { return got >= 300'000; });
  CHECK(most < 20'000);
  scene.settle();
}

// ---- Several loops.

// A loop on a thread of its own, with a hub that outlives it.
class LoopThread {
 public:
  LoopThread() {
    std::promise<IOLoop*> started;
    std::future<IOLoop*> loop = started.get_future();
    thread_ = std::thread([started = std::move(started)]() mutable {
      IOLoop own;
      own.add_callback([&] { started.set_value(&own); });
      own.start();
    });
    loop_ = loop.get();
    handle_.emplace(loop_->handle());
  }
  // In its own thread, as the loop ends meanwhile.
  ~LoopThread() {
    handle_->add_callback([loop = loop_] { loop->stop(); });
    thread_.join();
  }
  // Calls `function` in the loop, and waits for it.
  template <class Function>
  void call(Function function) {
    std::promise<void> done;
    std::future<void> is_done = done.get_future();
    loop_->add_callback([&function, done = std::move(done)]() mutable {
      function();
      done.set_value();
    });
    is_done.get();
  }
  IOLoop& loop() { return *loop_; }

 private:
  std::thread thread_;
  IOLoop* loop_ = nullptr;
  std::optional<LoopHandle> handle_;
};

TEST_CASE("subscribers of all loops get messages of all threads, in order", "[hub_shard][threads]") {
  constexpr int kEach = 300;
  Hub hub(HubScene::with_history());
  std::vector<std::unique_ptr<LoopThread>> loops;
  // Of each loop: the last offset, and the number of messages.
  struct Seen {
    std::uint64_t offset = 0;
    bool is_in_order = true;
    std::atomic<int> count = 0;
  };
  std::vector<std::unique_ptr<Seen>> all;
  for (int i = 0; i < 3; ++i) {
    LoopThread& loop = *loops.emplace_back(std::make_unique<LoopThread>());
    Seen& seen = *all.emplace_back(std::make_unique<Seen>());
    loop.call([&] {
      hub.subscribe("kept.a", [&seen](const TopicMessage& message) {
        seen.is_in_order = seen.is_in_order && message.position->offset == ++seen.offset;
        seen.count.fetch_add(1);
      });
    });
  }
  std::vector<std::thread> publishers;
  for (int i = 0; i < 2; ++i)
    publishers.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) hub.publish("kept.a", "x");
    });
  for (std::thread& publisher : publishers) publisher.join();
  const auto deadline = std::chrono::steady_clock::now() + TestLoop::patience();
  for (const auto& seen : all) {
    while (seen->count.load() < 2 * kEach && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    CHECK(seen->count.load() == 2 * kEach);
    CHECK(seen->is_in_order);
  }
}

TEST_CASE("WebSockets of several loops come and go while threads publish", "[hub_shard][threads]") {
  Hub hub(HubScene::with_history());
  std::atomic<bool> stops = false;
  std::vector<std::thread> publishers;
  for (int i = 0; i < 2; ++i)
    publishers.emplace_back([&] {
      while (!stops) {
        hub.publish("kept.a", "x");
        hub.publish("kept.b", "y");
        std::this_thread::yield();
      }
    });
  {
    LoopThread one;
    LoopThread other;
    for (int round = 0; round < 50; ++round) {
      for (LoopThread* const loop : {&one, &other}) {
        std::unique_ptr<Client> client;
        loop->call([&] {
          client = std::make_unique<Client>(loop->loop());
          SubscribeOptions options = testing::with_form(Form::json);
          options.last = 10;
          options.presence.emplace();
          hub.subscribe(*client->socket, "kept.a", options);
          hub.subscribe(*client->socket, "kept.*");
        });
        loop->call([&] { client.reset(); });
      }
    }
  }
  stops = true;
  for (std::thread& publisher : publishers) publisher.join();
}

TEST_CASE("a hub may be destroyed while other loops have subscribers", "[hub_shard][threads]") {
  for (int round = 0; round < 20; ++round) {
    auto hub = std::make_unique<Hub>();
    LoopThread loop;
    std::unique_ptr<Client> client;
    std::atomic<int> got = 0;
    loop.call([&] {
      client = std::make_unique<Client>(loop.loop());
      hub->subscribe(*client->socket, "a");
      hub->subscribe("a", [&](const TopicMessage&) { ++got; });
    });
    hub->publish("a", "1");
    hub.reset();
    loop.call([] {});  // behind the end of the subscriptions
    const int then = got;
    loop.call([&] { client.reset(); });
    CHECK(got == then);
  }
}

}  // namespace
}  // namespace squall::websocket::hub_shard_test
