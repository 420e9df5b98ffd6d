#include <squall/web/output/event_stream.h>

#include <squall/testing/virtual_clock.h>

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <string>
#include <string_view>

#include "support/web_fixture.h"

namespace squall::web::event_stream_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::RawPeer;
using testing::WebFixture;

// Sends the words behind the last id, as a language model its tokens.
class TokensHandler : public RequestHandler {
 public:
  Task<> get() {
    EventStream events(*this, {.retry = 2000ms});
    std::size_t next = 0;
    const std::string_view last = events.last_event_id();
    if (std::from_chars(last.data(), last.data() + last.size(), next).ec == std::errc()) ++next;
    const Live work;
    for (; next < 5; ++next) {
      co_await wait_for_token(next);
      const std::string id = fmt::to_string(next);
      const std::string token = fmt::format("token {}", next);
      const ServerSentEvent event{.data = token, .id = id};
      co_await events.send(event);
    }
    const ServerSentEvent done{.event = "done"};
    co_await events.send(done);
  }
  static inline std::size_t ready = 0;  // tokens that may be sent
  static inline std::size_t made = 0;

 private:
  static Task<> wait_for_token(std::size_t index) {
    while (index >= ready) co_await moment();
    ++made;
  }
};

// Sets a cookie before the stream begins.
class CookieStreamHandler : public RequestHandler {
 public:
  void get() {
    set_cookie("a", "b");
    const EventStream events(*this);
  }
};

TEST_CASE("a stream sends the cookies that the handler has set", "[event_stream]") {
  WebFixture web({url<CookieStreamHandler>("/")});
  CHECK(web.fetch("GET", "/").find("\r\nSet-Cookie: a=b;") != std::string::npos);
}

TEST_CASE("a stream has the head of an event stream, and its events in chunks (HTML, 9.2.5)",
          "[event_stream]") {
  TokensHandler::ready = 5;
  WebFixture web({url<TokensHandler>("/")}, {.compress_response = CompressionOptions{}});
  const std::string answer = web.fetch("GET", "/", "Last-Event-ID: 3\r\nAccept-Encoding: gzip\r\n");
  CHECK(answer.find("\r\nContent-Type: text/event-stream\r\n") != answer.npos);
  CHECK(answer.find("\r\nCache-Control: no-cache, no-transform\r\n") != answer.npos);
  CHECK(answer.find("\r\nTransfer-Encoding: chunked\r\n") != answer.npos);
  CHECK(answer.find("Content-Encoding") == answer.npos);
  CHECK(answer.find("\r\nretry: 2000\n\n\r\n") != answer.npos);
  CHECK(answer.find("id: 4\ndata: token 4\n\n") != answer.npos);
  CHECK(answer.find("event: done\ndata: \n\n") != answer.npos);
  CHECK(answer.find("token 3") == answer.npos);
}

TEST_CASE("work stops when the client leaves, and resumes behind its last id", "[event_stream]") {
  TokensHandler::ready = 2;
  TokensHandler::made = 0;
  WebFixture web({url<TokensHandler>("/")});
  std::string got;
  {
    RawPeer peer = web.connect();
    peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    web.loop.run_until([&] {
      peer.drain(got);
      return got.find("token 1") != got.npos;
    });
    CHECK(Live::count == 1);
    peer.reset();
    web.loop.run_until([] { return Live::count == 0; });
  }
  TokensHandler::ready = 5;
  for (int i = 0; i < 20; ++i) web.loop.run_turn();
  CHECK(TokensHandler::made == 2);
  const std::string rest = web.fetch("GET", "/", "Last-Event-ID: 1\r\n");
  CHECK(rest.find("token 1") == rest.npos);
  CHECK(rest.find("token 2") != rest.npos);
  CHECK(rest.find("token 4") != rest.npos);
  CHECK(TokensHandler::made == 5);
  web.loop.log.expect("499 GET / ");
}

class SilentHandler : public RequestHandler {
 public:
  Task<> get() {
    EventStream events(*this, {.keep_alive = 15s});
    co_await events.comment("hello");
    co_await sleep(40s);
    co_await events.send("one");
    co_await sleep(10s);
  }
};

TEST_CASE("while no event is sent, a comment keeps the connection alive (HTML, 9.2.7)", "[event_stream]") {
  testing::VirtualClock clock(testing::VirtualClock::Idle::wait);
  testing::TestLoop loop(IOLoop::Options{.time_source = &clock});
  Application app({url<SilentHandler>("/")});
  ListenOptions listen;
  listen.address = "127.0.0.1";
  RawPeer peer(app.listen(0, listen).port());
  peer.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  std::string got;
  const auto wait_for = [&](std::string_view text) {
    loop.run_until([&] {
      peer.drain(got);
      return got.ends_with(text);
    });
    got.clear();
  };
  wait_for(": hello\n\n\r\n");
  clock.advance(15s);  // no comment: the stream was not idle
  for (int i = 0; i < 10; ++i) loop.run_turn();
  peer.drain(got);
  CHECK(got.empty());
  clock.advance(15s);
  wait_for("3\r\n:\n\n\r\n");
  clock.advance(10s);
  wait_for("data: one\n\n\r\n");
  clock.advance(10s);
  wait_for("0\r\n\r\n");
}

class LateHandler : public RequestHandler {
 public:
  void get() {
    exchange().write("x");
    CHECK_THROWS_AS(EventStream(*this), std::logic_error);
  }
};
class InjectingHandler : public RequestHandler {
 public:
  Task<> get() {
    EventStream events(*this);
    const ServerSentEvent event{.data = "x", .event = "a\ndata: y"};
    CHECK_THROWS_AS(events.send(event), std::invalid_argument);
    co_await events.send("after");
  }
};

TEST_CASE("a stream cannot begin behind a body, and sends no part of a refused event", "[event_stream]") {
  WebFixture web({url<LateHandler>("/late"), url<InjectingHandler>("/bad")});
  CHECK(web.brief("GET", "/late").starts_with("200 "));
  const std::string answer = web.fetch("GET", "/bad");
  CHECK(answer.find("data: y") == answer.npos);
  CHECK(answer.find("data: after") != answer.npos);
}

}  // namespace
}  // namespace squall::web::event_stream_test
