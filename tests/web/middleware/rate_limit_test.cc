#include <squall/web/middleware/rate_limit.h>

#include <squall/ioloop/sync/event.h>
#include <squall/testing/virtual_clock.h>

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "support/web_fixture.h"

namespace squall::web::rate_limit_test {
namespace {

using namespace std::chrono_literals;

class HelloHandler : public RequestHandler {
 public:
  void get() { write("hello"); }
};

http::HTTPServer::Options behind_proxy() {
  http::HTTPServer::Options options;
  options.xheaders = true;
  return options;
}

// A server whose clients are named by X-Real-Ip, on a clock of the test.
struct Limited {
  explicit Limited(RateLimit::Options options)
      : limit(std::make_shared<RateLimit>(options)), app({url<HelloHandler>("/").with(Middleware(limit))}) {
    ListenOptions listen;
    listen.address = "127.0.0.1";
    port = app.listen(0, listen, behind_proxy()).port();
  }
  std::string get(std::string_view client = "192.0.2.1") {
    testing::RawPeer peer(port);
    peer.send(fmt::format("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Real-Ip: {}\r\n\r\n", client));
    std::string all;
    loop.run_until([&] { return peer.drain(all); });
    return all;
  }
  std::string status(std::string_view client = "192.0.2.1") { return get(client).substr(9, 3); }

  testing::VirtualClock clock{testing::VirtualClock::Idle::wait};
  testing::TestLoop loop{IOLoop::Options{.time_source = &clock}};
  std::shared_ptr<RateLimit> limit;
  Application app;
  std::uint16_t port;
};

bool has(std::string_view answer, std::string_view line) {
  return answer.find(fmt::format("\r\n{}\r\n", line)) != answer.npos;
}

TEST_CASE(
    "a client gets its burst at once, then a 429 with Retry-After until there is a token again (RFC 6585, 4)",
    "[rate_limit]") {
  RateLimit::Options options;
  options.requests = 6;
  options.period = 60s;
  options.burst = 2;
  Limited web(options);
  const std::string first = web.get();
  CHECK(has(first, "RateLimit-Policy: \"default\";q=6;w=60"));
  CHECK(has(first, "RateLimit: \"default\";r=1;t=10"));
  CHECK(first.find("Retry-After:") == first.npos);
  CHECK(web.status() == "200");
  const std::string refused = web.get();
  CHECK(refused.starts_with("HTTP/1.1 429 "));
  CHECK(has(refused, "Retry-After: 10"));
  CHECK(has(refused, "RateLimit: \"default\";r=0;t=20"));
  CHECK(web.status("192.0.2.2") == "200");
  web.clock.advance(9999ms);
  CHECK(has(web.get(), "Retry-After: 1"));
  web.clock.advance(1ms);
  CHECK(web.status() == "200");
  CHECK(web.status() == "429");
  // A silent client collects no more than the burst.
  web.clock.advance(1h);
  CHECK(web.status() == "200");
  CHECK(web.status() == "200");
  CHECK(web.status() == "429");
  CHECK(web.loop.log.expect_any("429 GET / ") == 4);
}

// Answers when the test sets the event.
class WaitingHandler : public RequestHandler {
 public:
  void initialize(Event* event) { event_ = event; }
  Task<> get() {
    co_await event_->wait();
    write("hello");
  }

 private:
  Event* event_ = nullptr;
};

TEST_CASE("a response that waited has the numbers of its own client, not those of the client heard last",
          "[rate_limit]") {
  RateLimit::Options options;
  options.requests = 6;
  auto limit = std::make_shared<RateLimit>(options);
  testing::TestLoop loop;
  Event event;
  Application app({url<HelloHandler>("/").with(Middleware(limit)),
                   url<WaitingHandler>("/wait", &event).with(Middleware(limit))});
  const std::uint16_t port = app.listen(0, {.address = "127.0.0.1"}, behind_proxy()).port();
  testing::RawPeer waiting(port);
  waiting.send("GET /wait HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Real-Ip: 192.0.2.1\r\n\r\n");
  loop.run_until([&] { return limit->clients() == 1; });
  for (int i = 0; i < 2; ++i) {
    testing::RawPeer other(port);
    other.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Real-Ip: 192.0.2.2\r\n\r\n");
    std::string all;
    loop.run_until([&] { return other.drain(all); });
    CHECK(all.find(fmt::format("\r\nRateLimit: \"default\";r={};", 5 - i)) != all.npos);
  }
  event.set();
  std::string all;
  loop.run_until([&] { return waiting.drain(all); });
  CHECK(all.find("\r\nRateLimit: \"default\";r=5;") != all.npos);
}

TEST_CASE("the addresses of one IPv6 network are one client, and IPv4-mapped ones are IPv4", "[rate_limit]") {
  RateLimit::Options options;
  options.requests = 1;
  Limited web(options);
  CHECK(web.status("2001:db8::1") == "200");
  CHECK(web.status("2001:db8::ffff:1") == "429");
  CHECK(web.status("2001:db8:0:1::1") == "200");
  CHECK(web.status("::ffff:192.0.2.9") == "200");
  CHECK(web.status("192.0.2.9") == "429");
  CHECK(web.limit->clients() == 3);
  options.ipv6_prefix = 61;
  Limited wide(options);
  CHECK(wide.status("2001:db8:0:1::1") == "200");
  CHECK(wide.status("2001:db8:0:7::1") == "429");
  CHECK(wide.status("2001:db8:0:8::1") == "200");
  CHECK(web.loop.log.expect_any("429 GET / ") == 2);
  CHECK(wide.loop.log.expect_any("429 GET / ") == 1);
}

TEST_CASE("the table is bounded, and forgets the client that was silent for the longest time",
          "[rate_limit]") {
  RateLimit::Options options;
  options.requests = 1;
  options.max_clients = 3;
  Limited web(options);
  for (const char* client : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) CHECK(web.status(client) == "200");
  CHECK(web.status("192.0.2.1") == "429");
  CHECK(web.status("192.0.2.4") == "200");  // in place of 192.0.2.2
  CHECK(web.limit->clients() == 3);
  CHECK(web.status("192.0.2.1") == "429");
  CHECK(web.status("192.0.2.3") == "429");
  CHECK(web.status("192.0.2.2") == "200");
  CHECK(web.limit->clients() == 3);
  CHECK(web.loop.log.expect_any("429 GET / ") == 3);
}

TEST_CASE("numbers that are not positive are refused", "[rate_limit]") {
  RateLimit::Options options;
  CHECK_NOTHROW(RateLimit(options));
  options.requests = 0;
  CHECK_THROWS_AS(RateLimit(options), std::invalid_argument);
  options.requests = 1;
  options.ipv6_prefix = 129;
  CHECK_THROWS_AS(RateLimit(options), std::invalid_argument);
}

}  // namespace
}  // namespace squall::web::rate_limit_test
