// The calls of a hub to its broker.

#include <squall/websocket/hub/hub_core.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "websocket/hub/fake_broker.h"
#include "websocket/hub/hub_scene.h"

namespace squall::websocket::hub_core_test {
namespace {

using testing::Client;
using testing::FakeBroker;
using testing::HubScene;

HubOptions with_broker(FakeBroker::Log& log) {
  HubOptions options = HubScene::with_history();
  options.broker = std::make_unique<FakeBroker>(log);
  return options;
}

TEST_CASE("the broker has one subscription for each pattern, whatever the number of clients", "[hub_core]") {
  FakeBroker::Log log;
  HubScene scene(with_broker(log));
  Client one(scene.loop);
  Client two(scene.loop);
  scene.hub->subscribe(*one.socket, "a");
  const SubscriptionId second = scene.hub->subscribe(*two.socket, "a");
  scene.hub->subscribe(*two.socket, "a.*");
  CHECK(log.calls == "+a +a.* ");
  scene.hub->unsubscribe(second);
  CHECK(log.calls == "+a +a.* ");
  one.socket.reset();
  CHECK(log.calls == "+a +a.* -a ");
  scene.hub->subscribe(*two.socket, "a");
  CHECK(log.calls == "+a +a.* -a +a ");
  scene.hub.reset();
  CHECK(log.calls == "+a +a.* -a +a stop ");
}

TEST_CASE("members join behind the subscription, and leave with it", "[hub_core]") {
  FakeBroker::Log log;
  HubScene scene(with_broker(log));
  auto client = std::make_unique<Client>(scene.loop);
  SubscribeOptions options;
  options.presence.emplace();
  options.presence->user = "ann";
  scene.hub->subscribe(*client->socket, "room", options);
  client.reset();
  CHECK(log.calls == "+room join:room:ann leave:room:ann -room ");
}

TEST_CASE("messages of topics without subscribers are dropped, and each subscriber gets one of others once",
          "[hub_core]") {
  FakeBroker::Log log;
  HubScene scene(with_broker(log));
  std::string got;
  scene.hub->subscribe("a.*", [&](const TopicMessage& message) { got += *message.payload; });
  log.deliver("b", "no");
  log.deliver("a.b", "yes");
  scene.settle();
  CHECK(got == "yes");
}

TEST_CASE("a late confirmation of an earlier subscription is none of the present one", "[hub_core]") {
  FakeBroker::Log log;
  log.confirms_at_once = false;
  HubScene scene(with_broker(log));
  const SubscriptionId first = scene.hub->subscribe("kept.a", [](const TopicMessage&) {});
  scene.hub->unsubscribe(first);
  scene.hub->subscribe("kept.a", [](const TopicMessage&) {}, {.last = 1});
  log.confirmations.at(0)();
  scene.settle();
  CHECK(log.reads.empty());
  log.confirmations.at(1)();
  scene.settle();
  CHECK(log.reads.size() == 1);
}

// A broker that cannot subscribe.
struct Refusing final : Broker {
  void start(BrokerListener&) override {}
  void stop() noexcept override {}
  void subscribe(std::string_view, VoidFunction<>) override { throw std::bad_alloc(); }
  void unsubscribe(std::string_view) override { FAIL("nothing was subscribed"); }
  void publish(TopicMessage, const std::optional<HistoryLimits>&, PublishDone) override {}
  void read_history(std::string_view, const HistoryRequest&, HistoryDone) override { throw std::bad_alloc(); }
  void join(std::string_view, const PresenceMember&) override {}
  void leave(std::string_view, const PresenceMember&) override {}
  void read_presence(std::string_view, std::size_t, PresenceDone) override {}
};

TEST_CASE("a subscription that the broker refuses leaves nothing", "[hub_core]") {
  HubOptions options;
  options.broker = std::make_unique<Refusing>();
  HubScene scene(std::move(options));
  Client client(scene.loop);
  for (int i = 0; i < 2; ++i) CHECK_THROWS_AS(scene.hub->subscribe(*client.socket, "a"), std::bad_alloc);
  client.socket.reset();
}

}  // namespace
}  // namespace squall::websocket::hub_core_test
