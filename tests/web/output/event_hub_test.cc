#include <squall/web/output/event_hub.h>

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/web_fixture.h"

namespace squall::web::event_hub_test {
namespace {

using testing::RawPeer;
using testing::WebFixture;

class HubHandler : public RequestHandler {
 public:
  void initialize(std::unique_ptr<EventHub>& hub) { hub_ = hub.get(); }
  Task<> get() { return hub_->serve(*this); }

 private:
  EventHub* hub_ = nullptr;
};

// A client of a hub.
struct Listener {
  Listener(WebFixture& web, std::string_view last_id = "") : peer(web.connect()) {
    const std::string last = last_id.empty() ? "" : fmt::format("Last-Event-ID: {}\r\n", last_id);
    peer.send(fmt::format("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{}\r\n", last));
  }
  bool has(std::string_view text) {
    ended = peer.drain(got) || ended;
    return got.find(text) != got.npos;
  }

  RawPeer peer;
  std::string got;
  bool ended = false;
};

struct Fixture {
  explicit Fixture(EventHub::Options options = {})
      : hub(std::make_unique<EventHub>(std::move(options))), web({url<HubHandler>("/", std::ref(hub))}) {}

  void wait_for_clients(std::size_t count) {
    web.loop.run_until([&] { return hub->clients() == count; });
  }
  void wait_for(Listener& listener, std::string_view text) {
    web.loop.run_until([&] { return listener.has(text); });
  }
  void wait_for_end(Listener& listener) {
    web.loop.run_until([&] {
      listener.has("");
      return listener.ended;
    });
  }
  // The id of the event with that data.
  static std::string id_of(std::string_view data, std::string_view got) {
    const std::size_t end = got.find(fmt::format("\ndata: {}\n", data));
    REQUIRE(end != got.npos);
    const std::size_t begin = got.rfind("id: ", end) + 4;
    return std::string(got.substr(begin, end - begin));
  }

  std::unique_ptr<EventHub> hub;
  WebFixture web;
};

void publish(EventHub& hub, std::string_view data) { hub.publish({.data = data}); }

TEST_CASE("all clients get the events from their arrival on, with increasing ids", "[event_hub]") {
  Fixture fixture;
  publish(*fixture.hub, "before");
  Listener first(fixture.web);
  fixture.wait_for_clients(1);
  publish(*fixture.hub, "one");
  fixture.wait_for(first, "data: one\n\n");
  Listener second(fixture.web);
  fixture.wait_for_clients(2);
  fixture.hub->publish({.data = "two", .event = "named"});
  publish(*fixture.hub, "three");
  for (Listener* const listener : {&first, &second}) {
    fixture.wait_for(*listener, "data: three\n\n");
    CHECK(listener->has("event: named\nid: "));
    CHECK(listener->has("\ndata: two\n\n"));
    CHECK(!listener->has("before"));
  }
  CHECK(!second.has("data: one"));
  CHECK(fixture.id_of("one", first.got).ends_with("-2"));
  CHECK(fixture.id_of("three", first.got) == fixture.id_of("three", second.got));
}

TEST_CASE("a client that connects again gets the events that it missed, and no others (HTML, 9.2.4)",
          "[event_hub]") {
  Fixture fixture;
  std::string last;
  {
    Listener listener(fixture.web);
    fixture.wait_for_clients(1);
    publish(*fixture.hub, "one");
    fixture.wait_for(listener, "data: one\n\n");
    last = fixture.id_of("one", listener.got);
    listener.peer.reset();
  }
  fixture.wait_for_clients(0);
  publish(*fixture.hub, "two");
  publish(*fixture.hub, "three");
  Listener again(fixture.web, last);
  fixture.wait_for(again, "data: three\n\n");
  CHECK(again.has("data: two\n\n"));
  CHECK(!again.has("data: one"));
  CHECK(!again.has("gap"));
  fixture.web.loop.log.expect("499 GET / ");
}

TEST_CASE("a client whose last event is forgotten or unknown gets a gap event, then all of the history",
          "[event_hub]") {
  EventHub::Options options;
  options.max_events = 2;
  Fixture fixture(options);
  Listener listener(fixture.web);
  fixture.wait_for_clients(1);
  publish(*fixture.hub, "one");
  fixture.wait_for(listener, "data: one\n\n");
  const std::string id = fixture.id_of("one", listener.got);
  const std::string prefix = id.substr(0, id.size() - 1);
  for (const char* data : {"two", "three", "four"}) publish(*fixture.hub, data);
  for (const std::string& unknown : {id, std::string("other-1"), prefix, prefix + "99", prefix + "1x",
                                     prefix + "-1", prefix + "99999999999999999999999"}) {
    CAPTURE(unknown);
    Listener again(fixture.web, unknown);
    fixture.wait_for(again, "data: four\n\n");
    CHECK(again.has("event: gap\ndata: \n\n"));
    CHECK(again.got.find("event: gap") < again.got.find("data: three"));
    CHECK(!again.has("data: two"));
    again.peer.reset();
  }
  Listener next(fixture.web, prefix + "2");  // exactly the event before the history
  fixture.wait_for(next, "data: four\n\n");
  CHECK(!next.has("gap"));
  fixture.web.loop.log.expect_any("499 GET / ");
}

TEST_CASE("the history is bounded in bytes too, and keeps the newest event", "[event_hub]") {
  EventHub::Options options;
  options.max_bytes = 1000;
  options.gap_event = "";
  Fixture fixture(options);
  const std::string large(600, 'x');
  publish(*fixture.hub, large + "1");
  publish(*fixture.hub, large + "2");
  Listener first(fixture.web, "unknown");
  fixture.wait_for(first, "x2\n\n");
  CHECK(!first.has("x1\n\n"));
  CHECK(!first.has("event:"));
  publish(*fixture.hub, std::string(5000, 'y'));
  Listener second(fixture.web, "unknown");
  fixture.wait_for(second, "y\n\n");
  CHECK(!second.has("x2"));
}

// Publishes until a client that reads nothing is behind the history.
void overrun(Fixture& fixture) {
  const std::string data(100'000, 'z');
  for (int i = 0; i < 300; ++i) {
    publish(*fixture.hub, data);
    fixture.web.loop.run_turn();
  }
}

TEST_CASE("a client that is slower than the history is disconnected, and takes no memory", "[event_hub]") {
  EventHub::Options options;
  options.max_events = 3;
  Fixture fixture(options);
  Listener slow(fixture.web);
  fixture.wait_for_clients(1);
  overrun(fixture);
  fixture.wait_for_end(slow);
  CHECK(fixture.hub->clients() == 0);
  CHECK(slow.got.size() < 30'000'000);
  CHECK(slow.got.ends_with("0\r\n\r\n"));
}

TEST_CASE("a slow client may lose events instead, and is told", "[event_hub]") {
  EventHub::Options options;
  options.max_events = 3;
  options.slow_client = EventHub::SlowClient::skip;
  Fixture fixture(options);
  Listener slow(fixture.web);
  fixture.wait_for_clients(1);
  overrun(fixture);
  publish(*fixture.hub, "last");
  fixture.wait_for(slow, "data: last\n\n");
  CHECK(slow.has("event: gap\n"));
  CHECK(fixture.hub->clients() == 1);
  CHECK(slow.got.size() < 30'000'000);
}

TEST_CASE("more clients than allowed get a 503", "[event_hub]") {
  EventHub::Options options;
  options.max_clients = 1;
  Fixture fixture(options);
  Listener first(fixture.web);
  fixture.wait_for_clients(1);
  CHECK(fixture.web.fetch("GET", "/").starts_with("HTTP/1.1 503 "));
  fixture.web.loop.log.expect_any("503 GET / ");
}

TEST_CASE("closing or destroying the hub ends the streams", "[event_hub]") {
  Fixture fixture;
  Listener first(fixture.web);
  fixture.wait_for_clients(1);
  fixture.hub->close();
  fixture.wait_for_end(first);
  CHECK(first.got.ends_with("0\r\n\r\n"));
  Listener late(fixture.web);
  fixture.wait_for_end(late);
  fixture.hub = std::make_unique<EventHub>();
  Listener second(fixture.web);
  fixture.wait_for_clients(1);
  fixture.hub.reset();
  fixture.wait_for_end(second);
}

TEST_CASE("an event with an id of its own, or a line break in its name, is refused", "[event_hub]") {
  EventHub hub;
  CHECK_THROWS_AS(hub.publish({.data = "x", .id = "1"}), std::invalid_argument);
  CHECK_THROWS_AS(hub.publish({.data = "x", .event = "a\nb"}), std::invalid_argument);
  EventHub::Options options;
  options.max_events = 0;
  CHECK_THROWS_AS(EventHub(options), std::invalid_argument);
}

TEST_CASE("HEAD gets the head of the stream, and the connection serves the next request", "[event_hub]") {
  Fixture fixture;
  RawPeer peer = fixture.web.connect();
  peer.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET /none HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string answers = fixture.web.read_to_end(peer);
  CHECK(answers.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answers.find("text/event-stream") != answers.npos);
  CHECK(answers.find("HTTP/1.1 404 ") != answers.npos);
  CHECK(fixture.hub->clients() == 0);
  fixture.web.loop.log.expect("404 GET /none");
}

}  // namespace
}  // namespace squall::web::event_hub_test
