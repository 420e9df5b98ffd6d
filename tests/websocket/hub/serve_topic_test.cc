// Topics as event streams.

#include <squall/websocket/hub/serve_topic.h>

#include <squall/websocket/hub/hub.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "support/web_fixture.h"
#include "websocket/hub/hub_scene.h"

namespace squall::websocket::serve_topic_test {
namespace {

using squall::testing::RawPeer;
using squall::testing::WebFixture;
using testing::HubScene;

class TopicHandler : public web::RequestHandler {
 public:
  void initialize(std::unique_ptr<Hub>& hub, ServeTopicOptions options) {
    hub_ = &hub;
    options_ = std::move(options);
  }
  Task<> get(std::string topic) { return serve_topic(**hub_, *this, std::move(topic), options_); }

 private:
  std::unique_ptr<Hub>* hub_ = nullptr;
  ServeTopicOptions options_;
};

struct Scene {
  explicit Scene(HubOptions options = HubScene::with_history(), ServeTopicOptions served = {})
      : hub(std::make_unique<Hub>(std::move(options))),
        web({web::url<TopicHandler>("/t/(.*)", std::ref(hub), std::move(served))}) {}

  RawPeer get(std::string_view topic, std::string_view headers = "") {
    RawPeer peer = web.connect();
    peer.send("GET /t/" + std::string(topic) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n");
    return peer;
  }
  // All that the peer gets up to `last`.
  std::string read_to(RawPeer& peer, std::string_view last) {
    std::string all;
    web.loop.run_until([&] {
      const bool is_closed = peer.drain(all);
      return is_closed || all.find(last) != std::string::npos;
    });
    CHECK(all.find(last) != std::string::npos);
    return all;
  }

  std::unique_ptr<Hub> hub;
  WebFixture web;
};

TEST_CASE("an event stream gets messages with their positions, and resumes behind its last one",
          "[serve_topic]") {
  Scene scene;
  std::string position;
  {
    RawPeer peer = scene.get("kept.a");
    const std::string head = scene.read_to(peer, "event: subscribed");
    CHECK(head.find("text/event-stream") != std::string::npos);
    CHECK(head.find("retry: ") != std::string::npos);
    scene.hub->publish("kept.a", "one");
    const std::string event = scene.read_to(peer, "data: one\n\n");
    const std::size_t id = event.find("id: ");
    REQUIRE(id != std::string::npos);
    position = event.substr(id + 4, event.find('\n', id) - id - 4);
    CHECK(parse_position(position).has_value());
  }
  scene.hub->publish("kept.a", "two");
  scene.hub->publish("kept.a", "three");
  RawPeer peer = scene.get("kept.a", "Last-Event-ID: " + position + "\r\n");
  const std::string events = scene.read_to(peer, "data: three\n\n");
  CHECK(events.find("data: two\n") < events.find("data: three\n"));
  CHECK(events.find("data: one\n") == std::string::npos);
}

TEST_CASE("an event stream that was away for too long is told of the gap", "[serve_topic]") {
  Scene scene(HubScene::with_history(1));
  for (const char* const text : {"one", "two", "three"}) scene.hub->publish("kept.a", text);
  RawPeer peer = scene.get("kept.a", "Last-Event-ID: 0000000000000001-1\r\n");
  scene.read_to(peer, R"(data: {"type":"gap","topic":"kept.a","reason":"forgotten")");
  scene.hub->publish("kept.a", "four");
  scene.read_to(peer, "data: four\n");
}

TEST_CASE("any text as Last-Event-ID is no position", "[serve_topic]") {
  Scene scene;
  RawPeer peer = scene.get("kept.a", "Last-Event-ID: <script>\r\n");
  scene.read_to(peer, "retry: ");
  scene.hub->publish("kept.a", "one");
  scene.read_to(peer, "data: one\n");
}

TEST_CASE("an event stream of a pattern gets envelopes", "[serve_topic]") {
  ServeTopicOptions options;
  options.subscribe.form = Form::json;
  Scene scene({}, options);
  RawPeer peer = scene.get("a.*", "Last-Event-ID: 0000000000000001-1\r\n");
  scene.read_to(peer, R"(data: {"type":"subscribed","topic":"a.*")");
  scene.hub->publish("a.b", "one");
  scene.read_to(peer, R"(data: {"type":"message","topic":"a.b","data":"one"})");
}

TEST_CASE("a bad topic is an error of the handler, before the head", "[serve_topic]") {
  Scene scene;
  RawPeer peer = scene.get("a..b");
  scene.read_to(peer, "HTTP/1.1 500 ");
  scene.web.loop.log.expect("bad topic `a..b`");
  scene.web.loop.log.expect("500 GET /t/a..b");
}

TEST_CASE("a client that leaves ends its subscription", "[serve_topic]") {
  Scene scene;
  {
    RawPeer peer = scene.get("a");
    scene.read_to(peer, "retry: ");
    scene.hub->publish("a", "one");
    scene.read_to(peer, "data: one\n");
  }
  for (int i = 0; i < 20; ++i) {
    scene.hub->publish("a", "two");
    scene.web.loop.run_turn();
  }
  scene.web.loop.log.expect("499 GET /t/a");
}

TEST_CASE("the end of the hub ends the response", "[serve_topic]") {
  Scene scene;
  RawPeer peer = scene.get("a");
  scene.read_to(peer, "retry: ");
  scene.hub.reset();
  scene.read_to(peer, "0\r\n\r\n");
}

TEST_CASE("a server that ends tells a time to connect again, and ends the response", "[serve_topic]") {
  Scene scene;
  RawPeer peer = scene.get("a");
  scene.read_to(peer, "retry: ");
  scene.hub->restart_clients();
  const std::string rest = scene.read_to(peer, "\r\n0\r\n\r\n");
  CHECK(rest.find("retry: ") != std::string::npos);
}

TEST_CASE("a slow event stream is bounded: its response ends, and its memory is freed", "[serve_topic]") {
  ServeTopicOptions options;
  options.subscribe.queue.emplace();
  options.subscribe.queue->max_messages = 5;
  Scene scene({}, options);
  RawPeer peer = scene.get("a");
  scene.read_to(peer, "retry: ");
  const std::string large(100'000, 'x');
  std::string id;
  for (int i = 0; i < 300; ++i) {
    scene.hub->publish("a", large);
    scene.web.loop.run_turn();
  }
  // The bytes that the kernel has taken, and the end: far fewer than were published.
  std::string all;
  scene.web.loop.run_until([&] { return peer.drain(all) || all.ends_with("\r\n0\r\n\r\n"); });
  CHECK(all.ends_with("\r\n0\r\n\r\n"));
  CHECK(all.size() < 300 * large.size());
}

}  // namespace
}  // namespace squall::websocket::serve_topic_test
