// Subscriptions and messages in one loop.

#include <squall/websocket/hub/hub.h>

#include <fmt/format.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/growth.h"
#include "websocket/hub/hub_scene.h"

namespace squall::websocket::hub_test {
namespace {

using testing::Client;
using testing::HubScene;
using testing::with_form;

Task<std::size_t> count_members(const Hub& hub, std::string topic) {
  const PresenceList list = co_await hub.presence(topic);
  CHECK(list.members.size() == list.count);
  co_return list.count;
}

Task<std::string> read_history(const Hub& hub, std::string topic) {
  const HistoryPage page = co_await hub.history(topic);
  std::string text;
  for (const SharedMessage& message : page.messages) text += *message->payload + ' ';
  co_return text;
}

TEST_CASE("a message reaches the connections whose pattern matches, in order", "[hub]") {
  HubScene scene;
  Client literal(scene.loop);
  Client star(scene.loop);
  Client rest(scene.loop);
  Client other(scene.loop);
  scene.hub->subscribe(*literal.socket, "a.b");
  scene.hub->subscribe(*star.socket, "a.*");
  scene.hub->subscribe(*rest.socket, "a.>");
  scene.hub->subscribe(*other.socket, "b.>");
  scene.hub->publish("a.b", "1");
  scene.hub->publish("a.c", "2");
  scene.hub->publish("a.b.c", "3");
  scene.hub->publish("a", "4");
  scene.expect(literal, "1 ");
  scene.expect(star, "1 2 ");
  scene.expect(rest, "1 2 3 ");
  CHECK(other.received() == "");
}

TEST_CASE("a connection gets a message once for each subscription that matches", "[hub]") {
  HubScene scene;
  Client client(scene.loop);
  scene.hub->subscribe(*client.socket, "a.b");
  const SubscriptionId second = scene.hub->subscribe(*client.socket, "a.*");
  scene.hub->publish("a.b", "1");
  scene.expect(client, "1 1 ");
  CHECK(scene.hub->unsubscribe(second));
  CHECK_FALSE(scene.hub->unsubscribe(second));
  scene.hub->publish("a.b", "2");
  scene.expect(client, "1 1 2 ");
}

TEST_CASE("text stays text, and binary stays binary", "[hub]") {
  HubScene scene;
  Client client(scene.loop);
  scene.hub->subscribe(*client.socket, "a");
  scene.hub->publish("a", "\xff", {.type = MessageType::binary});
  scene.loop.run_until([&] { return client.received() == "\xff "; });
}

TEST_CASE("clients with and without compression get the same message", "[hub]") {
  HubScene scene;
  ConnectionTerms terms;
  terms.deflate = DeflateTerms();
  Client compressed(scene.loop, {}, terms);
  Client plain(scene.loop);
  const std::string text(300, 'x');
  for (Client* const client : {&compressed, &plain}) scene.hub->subscribe(*client->socket, "a");
  scene.hub->publish("a", text);
  scene.expect(compressed, text + ' ');
  scene.expect(plain, text + ' ');
}

TEST_CASE("the forms of envelopes: JSON, a header, and the notice of the subscription", "[hub]") {
  HubScene scene;
  Client json(scene.loop);
  Client header(scene.loop);
  scene.hub->subscribe(*json.socket, "a.*", with_form(Form::json));
  scene.hub->subscribe(*header.socket, "a.b", with_form(Form::header));
  scene.hub->publish("a.b", R"({"x":1})", {.is_json = true});
  scene.expect(json, R"({"type":"subscribed","topic":"a.*","reconnect_within_ms":10000} )"
                     R"({"type":"message","topic":"a.b","data":{"x":1}} )");
  scene.expect(header,
               "subscribed a.b -\n"
               R"({"type":"subscribed","topic":"a.b","reconnect_within_ms":10000} )"
               "message a.b -\n"
               R"({"x":1} )");
}

TEST_CASE("bad topics, patterns, payloads and options are refused, and change nothing", "[hub]") {
  HubOptions options;
  options.max_payload = 10;
  options.max_subscriptions = 2;
  HubScene scene(std::move(options));
  Hub& hub = *scene.hub;
  Client client(scene.loop);
  CHECK_THROWS_AS(hub.publish("a.*", "x"), std::invalid_argument);
  CHECK_THROWS_AS(hub.publish("", "x"), std::invalid_argument);
  CHECK_THROWS_AS(hub.publish("a", "12345678901"), std::invalid_argument);
  CHECK_THROWS_AS(hub.publish("a", "\xff"), std::invalid_argument);
  CHECK_THROWS_AS(hub.publish("a", "{", {.is_json = true}), std::invalid_argument);
  CHECK_THROWS_AS(hub.publish("a", "x", {.type = MessageType::ping}), std::invalid_argument);
  CHECK_THROWS_AS(hub.subscribe(*client.socket, "a..b"), std::invalid_argument);
  CHECK_THROWS_AS(hub.subscribe(*client.socket, "a.*", {.resume = Position{}}), std::invalid_argument);
  CHECK_THROWS_AS(hub.subscribe(*client.socket, "a.>", {.last = 1}), std::invalid_argument);
  CHECK_THROWS_AS(hub.subscribe(*client.socket, "a", {.last = 1001}), std::invalid_argument);
  SubscribeOptions large;
  large.presence.emplace();
  large.presence->data.assign(1025, 'x');
  CHECK_THROWS_AS(hub.subscribe(*client.socket, "a", large), std::invalid_argument);
  CHECK_THROWS_AS(hub.subscribe("a", VoidFunction<const TopicMessage&>()), std::invalid_argument);
  hub.subscribe(*client.socket, "a");
  hub.subscribe(*client.socket, "b");
  CHECK_THROWS_AS(hub.subscribe(*client.socket, "c"), std::length_error);
  hub.publish("a", "1234567890");
  hub.publish("c", "x");
  scene.expect(client, "1234567890 ");
  HubOptions bad;
  bad.history.push_back({"a.>.b"});
  CHECK_THROWS_AS(Hub(std::move(bad)), std::invalid_argument);
}

TEST_CASE("a closing connection cannot be subscribed", "[hub]") {
  HubScene scene;
  Client client(scene.loop);
  client.socket->close();
  CHECK_THROWS_AS(scene.hub->subscribe(*client.socket, "a"), WebSocketClosedError);
}

TEST_CASE("a function gets messages in a later turn, and may unsubscribe and subscribe in its call",
          "[hub]") {
  HubScene scene;
  Hub& hub = *scene.hub;
  std::string got;
  SubscriptionId first{};
  first = hub.subscribe("a", [&](const TopicMessage& message) {
    got += "first:" + *message.payload + ' ';
    CHECK(hub.unsubscribe(first));
    hub.subscribe("a", [&](const TopicMessage& later) { got += "second:" + *later.payload + ' '; });
    hub.publish("a", "2");
  });
  hub.publish("a", "1");
  CHECK(got == "");
  scene.settle();
  CHECK(got == "first:1 second:2 ");
}

TEST_CASE("an exception of a function is logged, and the others get the message", "[hub]") {
  HubScene scene;
  Client client(scene.loop);
  scene.hub->subscribe("a", [](const TopicMessage&) { throw std::runtime_error("no"); });
  scene.hub->subscribe("a", [](const TopicMessage&) { throw 1; });
  scene.hub->subscribe(*client.socket, "a");
  scene.hub->publish("a", "1");
  scene.expect(client, "1 ");
  scene.loop.log.expect("Exception in a subscriber of a: no");
  scene.loop.log.expect("Exception in a subscriber of a");
}

TEST_CASE("the result of a publish has the position", "[hub]") {
  HubScene scene(HubScene::with_history());
  std::vector<Published> results;
  PublishOptions options;
  options.done = [&](const Published& result) { results.push_back(result); };
  scene.hub->publish("kept.a", "1", options);
  scene.hub->publish("other", "1", options);
  REQUIRE(results.size() == 2);
  CHECK(results[0].position->offset == 1);
  CHECK_FALSE(results[1].position.has_value());
}

TEST_CASE("histories and members can be read", "[hub]") {
  HubScene scene(HubScene::with_history(2));
  scene.publish_numbers("kept.a", 1, 3);
  CHECK(scene.loop.run(read_history(*scene.hub, "kept.a")) == "2 3 ");
  CHECK(scene.loop.run(read_history(*scene.hub, "kept.b")) == "");
  Client client(scene.loop);
  SubscribeOptions options;
  options.presence.emplace();
  options.presence->user = "ann";
  scene.hub->subscribe(*client.socket, "room", options);
  CHECK(scene.loop.run(count_members(*scene.hub, "room")) == 1);
  CHECK_THROWS_AS(scene.hub->presence("a.*"), std::invalid_argument);
}

TEST_CASE("members that join and leave are told to those who ask for it", "[hub]") {
  HubScene scene;
  Client watcher(scene.loop);
  Client plain(scene.loop);
  SubscribeOptions watch;
  watch.presence_events = true;
  scene.hub->subscribe(*watcher.socket, "room", watch);
  scene.hub->subscribe(*plain.socket, "room");
  {
    Client ann(scene.loop);
    SubscribeOptions options;
    options.presence.emplace();
    options.presence->user = "ann";
    options.presence->data = "A";
    scene.hub->subscribe(*ann.socket, "room", options);
    scene.loop.run_until([&] { return watcher.received().find("\"join\"") != std::string::npos; });
  }
  scene.loop.run_until([&] { return watcher.received().find("\"leave\"") != std::string::npos; });
  const std::string got = watcher.received();
  CHECK(got.starts_with(R"({"type":"join","topic":"room","client":")"));
  CHECK(got.find(R"("user":"ann","data":"A"} {"type":"leave")") != std::string::npos);
  CHECK(plain.received() == "");
  CHECK(scene.loop.run(count_members(*scene.hub, "room")) == 0);
}

TEST_CASE("clients of a server that ends are told when to connect again", "[hub]") {
  HubOptions options;
  options.reconnect_window = std::chrono::milliseconds(2500);
  HubScene scene(std::move(options));
  Client plain(scene.loop);
  Client json(scene.loop);
  scene.hub->subscribe(*plain.socket, "a");
  scene.hub->subscribe(*json.socket, "a", with_form(Form::json));
  scene.hub->restart_clients();
  scene.expect(plain, "!1012");
  CHECK(plain.close_reason == "reconnect-within-ms=2500");
  scene.expect(json, R"({"type":"subscribed","topic":"a","reconnect_within_ms":2500} )"
                     R"({"type":"reconnect","reconnect_within_ms":2500} !1012)");
}

TEST_CASE("a Subscription ends with its object, unless it is released", "[hub]") {
  HubScene scene;
  Client client(scene.loop);
  {
    Subscription held = scene.hub->hold(scene.hub->subscribe(*client.socket, "a"));
    Subscription released = scene.hub->hold(scene.hub->subscribe(*client.socket, "b"));
    Subscription moved = std::move(held);
    CHECK_FALSE(held.unsubscribe());
    released.release();
  }
  scene.hub->publish("a", "1");
  scene.hub->publish("b", "2");
  scene.expect(client, "2 ");
}

void subscribe_many(std::size_t count) {
  HubScene scene;
  std::size_t got = 0;
  std::vector<SubscriptionId> ids;
  for (std::size_t i = 0; i < count; ++i)
    ids.push_back(scene.hub->subscribe(fmt::format("t.{}", i / 10), [&](const TopicMessage&) { ++got; }));
  for (std::size_t i = 0; i < count / 10; ++i) scene.hub->publish(fmt::format("t.{}", i), "x");
  scene.settle();
  scene.loop.run_until([&] { return got == count; });
  for (const SubscriptionId id : ids) scene.hub->unsubscribe(id);
}

TEST_CASE("100,000 subscriptions of 10,000 topics take linear time", "[hub][many]") {
  CHECK(squall::testing::growth(6250, subscribe_many) < squall::testing::kMostLinearGrowth);
}

// The members of one topic leave in the order in which they came.
void leave_one_topic(std::size_t count) {
  HubScene scene;
  std::vector<SubscriptionId> ids;
  for (std::size_t i = 0; i < count; ++i)
    ids.push_back(scene.hub->subscribe("t", [](const TopicMessage&) {}));
  for (const SubscriptionId id : ids) scene.hub->unsubscribe(id);
}

TEST_CASE("the subscribers of one topic leave in linear time", "[hub][many]") {
  CHECK(squall::testing::growth(2000, leave_one_topic) < squall::testing::kMostLinearGrowth);
}

}  // namespace
}  // namespace squall::websocket::hub_test
