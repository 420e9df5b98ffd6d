// Trailers, interim responses, whole responses as values, and detached connections.

#include <squall/http/server/exchange.h>

#include <fmt/format.h>

#include <optional>
#include <string>

#include "support/http_fixture.h"

namespace squall::http::exchange_interim_test {
namespace {

using namespace std::chrono_literals;
using testing::HTTPFixture;
using testing::Live;
using testing::RawPeer;
using testing::without_date;

constexpr std::string_view kGetAndClose = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
constexpr std::string_view kOld = "GET / HTTP/1.0\r\n\r\n";

std::string response(std::string_view request, std::function<void(Exchange&)> answer) {
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) { answer(exchange); });
  return without_date(fixture.talk(request));
}

TEST_CASE("trailers follow the last chunk; those set before the head is sent are announced", "[exchange]") {
  CHECK(response(kGetAndClose,
                 [](Exchange& exchange) {
                   exchange.trailers().add("X-Sum", "1");
                   exchange.write("abc");
                   exchange.trailers().set("X-Sum", "2");
                   exchange.trailers().add("X-Late", "3");
                   exchange.finish("def");
                 }) ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nTrailer: X-Sum\r\nTransfer-Encoding: "
        "chunked\r\nConnection: "
        "close\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\nX-Sum: 2\r\nX-Late: 3\r\n\r\n");
  CHECK(response(kGetAndClose,
                 [](Exchange& exchange) {
                   exchange.trailers().add("X-Sum", "1");
                   exchange.trailers().add("Content-Length", "7");
                   exchange.finish("abc");
                 })
            .ends_with("\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                       "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"));
}

TEST_CASE("trailers of a response without chunks are not sent", "[exchange]") {
  const auto answer = [](Exchange& exchange) {
    exchange.trailers().add("X-Sum", "1");
    exchange.finish("abc");
  };
  CHECK(response(kOld, answer) == "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nConnection: close\r\n\r\nabc");
  CHECK(response("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", answer).find("X-Sum: 1") ==
        std::string::npos);
}

TEST_CASE("interim responses come before the final one, and HTTP/1.0 gets none", "[exchange]") {
  const auto answer = [](Exchange& exchange) {
    Headers hints;
    hints.add("Link", "</a.css>; rel=preload");
    hints.add("Content-Length", "5");
    hints.add("Transfer-Encoding", "chunked");
    exchange.inform(103, hints);
    exchange.inform(102);
    for (const int status : {99, 101, 200, 404})
      CHECK_THROWS_AS(exchange.inform(status), std::invalid_argument);
    exchange.finish("abc");
    CHECK_THROWS_AS(exchange.inform(103), std::logic_error);
  };
  const std::string final_response =
      "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
  CHECK(response(kGetAndClose, answer) ==
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" +
            final_response);
  CHECK(response(kOld, answer) == final_response);
  CHECK(response(kGetAndClose, [](Exchange& exchange) {
          CHECK_THROWS_AS(exchange.set_status(103), std::invalid_argument);
          exchange.finish("abc");
        }) == final_response);
}

TEST_CASE("a response as a value is sent whole", "[exchange]") {
  CHECK(response(kGetAndClose,
                 [](Exchange& exchange) {
                   ServerResponse answer(201, "made", "text/plain");
                   answer.reason = "Made";
                   answer.headers.add("Set-Cookie", "a=b");
                   answer.headers.add("Set-Cookie", "c=d");
                   answer.headers.add("Server", "mine");
                   exchange.respond(answer);
                 }) ==
        "HTTP/1.1 201 Made\r\nServer: mine\r\nContent-Type: text/plain\r\nSet-Cookie: a=b\r\nSet-Cookie: "
        "c=d\r\n"
        "Content-Length: 4\r\nConnection: close\r\n\r\nmade");
  const ServerResponse redirect = ServerResponse::redirect("/there", 307);
  CHECK(redirect.status == 307);
  CHECK(redirect.headers.get("Location") == "/there");
  CHECK_THROWS_AS(ServerResponse::redirect("/x\r\nA: b"), std::invalid_argument);
}

// ---- Detached connections.

TEST_CASE(
    "a handler that detaches gets the stream and the bytes behind the request; its writes are sent "
    "(H1C-68)",
    "[exchange]") {
  std::string heard;
  bool gone = false;
  HTTPServer* server = nullptr;
  HTTPFixture fixture([&](Exchange& exchange, Task<>& pending) {
    if (exchange.request().path() != "/up") return exchange.finish("other");
    pending = [](Exchange& exchange, HTTPServer*& server, std::string& heard, bool& gone) -> Task<> {
      co_await moment();
      exchange.set_status(101);
      exchange.headers().set("Connection", "Upgrade");
      exchange.headers().set("Upgrade", "echo");
      exchange.write({});
      IOStream stream = exchange.detach();
      CHECK(exchange.finished());
      CHECK(server->connections() == 0);
      const ReadView line = co_await stream.read_until("\n", 100);
      heard = line;
      co_await stream.write("heard " + heard);
      try {
        const ReadView more = co_await stream.read_until("\n", 100);
        heard += more;
      } catch (const StreamClosedError&) {
        gone = true;
      }
    }(exchange, server, heard, gone);
  });
  server = &fixture.server;
  RawPeer peer = fixture.connect();
  peer.send("GET /up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nGET /other");
  std::string all;
  fixture.loop.run_until([&] {
    peer.drain(all);
    return all.ends_with("\r\n\r\n");
  });
  CHECK(without_date(all) ==
        "HTTP/1.1 101 Switching Protocols\r\nServer: Squall/0.1.0\r\nConnection: Upgrade\r\nUpgrade: "
        "echo\r\n\r\n");
  peer.send(" more\n");
  fixture.loop.run_until([&] {
    peer.drain(all);
    return all.ends_with("heard GET /other more\n");
  });
  peer.close();
  fixture.loop.run_until([&] { return gone; });
  CHECK(fixture.delegate.requests == 1);
  CHECK(fixture.delegate.gone == 0);
}

TEST_CASE("a detached CONNECT has no length, and another one closes its connection", "[exchange]") {
  std::optional<IOStream> taken;
  HTTPFixture fixture([&](Exchange& exchange, Task<>& pending) {
    if (exchange.request().target() == "refused:80") {
      exchange.set_status(403);
      return exchange.finish("no");
    }
    pending = [](Exchange& exchange, std::optional<IOStream>& taken) -> Task<> {
      exchange.write({});
      if (exchange.request().target() == "taken:80") {
        taken.emplace(exchange.detach());
      } else {
        exchange.finish();
      }
      co_return;
    }(exchange, taken);
  });
  CHECK(without_date(fixture.talk("CONNECT refused:80 HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\n")) ==
        "HTTP/1.1 403 Forbidden\r\nServer: Squall/0.1.0\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
  CHECK(without_date(fixture.talk("CONNECT left:80 HTTP/1.1\r\nHost: h\r\n\r\n")) ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\n\r\n");
  RawPeer peer = fixture.connect();
  peer.send("CONNECT taken:80 HTTP/1.1\r\nHost: h\r\n\r\nhello");
  fixture.loop.run_until([&] { return taken.has_value(); });
  // The handler owns the stream: close_all_connections() does not close it (HSV-15).
  fixture.server.close_all_connections();
  fixture.loop.run_turn();
  const std::string hello = fixture.loop.run([](IOStream& stream) -> Task<std::string> {
    const ReadView bytes = co_await stream.read_bytes(5);
    co_return std::string(bytes);
  }(*taken));
  CHECK(hello == "hello");
  taken.reset();
  std::string all;
  fixture.loop.run_until([&] { return peer.drain(all); });
}

TEST_CASE("a body that was collected can be read after detach(), and a streamed one cannot", "[exchange]") {
  for (const bool is_streamed : {false, true}) {
    CAPTURE(is_streamed);
    struct Delegate : ServerDelegate {
      Body head_received(Exchange&) override { return is_streamed ? Body::streamed : Body::collected; }
      void handle_request(Exchange& exchange, Task<>& pending) override { pending = answer(*this, exchange); }
      static Task<> answer(Delegate& me, Exchange& exchange) {
        co_await moment();
        exchange.write({});
        IOStream stream = exchange.detach();
        try {
          const std::string_view body = co_await exchange.read();
          me.body = body;
          const std::string_view end = co_await exchange.read();
          CHECK(end.empty());
        } catch (const StreamClosedError&) {
          me.body = "closed";
        }
        co_await stream.write("done");
      }
      bool is_streamed = false;
      std::string body;
    } delegate;
    delegate.is_streamed = is_streamed;
    testing::TestLoop loop;
    HTTPServer server(delegate, loop);
    ListenOptions listen;
    listen.address = "127.0.0.1";
    server.listen(0, listen);
    RawPeer peer(server.port());
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    std::string all;
    loop.run_until([&] { return peer.drain(all); });
    CHECK(all.ends_with("done"));
    CHECK(delegate.body == (is_streamed ? "closed" : "hello"));
  }
}

TEST_CASE("detach() within handle_request() throws logic_error", "[exchange]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>&) {
    CHECK_THROWS_AS(exchange.detach(), std::logic_error);
    exchange.finish("fine");
  });
  CHECK(fixture.talk(kGetAndClose).ends_with("fine"));
}

// ---- Optional facts of a request.

TEST_CASE("a request's id is the client's if trusted and well formed, otherwise random", "[exchange]") {
  const auto answer = [](Exchange& exchange, Task<>&) {
    const std::string id = exchange.request().id();
    CHECK(exchange.request().id() == id);
    exchange.finish(id);
  };
  const auto ask = [](HTTPFixture& fixture, std::string_view id) {
    const std::string all = fixture.talk(
        fmt::format("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: {}\r\nConnection: close\r\n\r\n", id));
    return all.substr(all.find("\r\n\r\n") + 4);
  };
  HTTPFixture wary(answer);
  const std::string first = ask(wary, "mine");
  CHECK(first.size() == 32);
  CHECK(first.find_first_not_of("0123456789abcdef") == first.npos);
  CHECK(ask(wary, "mine") != first);
  HTTPFixture::Options options;
  options.trust_request_id = true;
  HTTPFixture trusting(answer, options);
  CHECK(ask(trusting, "mine-1.2_3") == "mine-1.2_3");
  for (const std::string& bad : {std::string(), std::string("a b"), std::string("a\tb"),
                                 std::string(129, 'x'), std::string("a\"b"), std::string("\xe9")})
    CHECK(ask(trusting, bad).size() == 32);
  options.xheaders = true;
  options.trusted_peers = {Network("10.0.0.0/8")};
  HTTPFixture behind(answer, options);
  CHECK(ask(behind, "mine").size() == 32);
}

TEST_CASE("a request's times are measured, in order, if Options::measure_times is set", "[exchange]") {
  HTTPFixture::Options options;
  options.measure_times = true;
  ServerRequest::Times times;
  HTTPFixture fixture(
      [&](Exchange& exchange, Task<>&) {
        exchange.write("abc");
        exchange.finish("def");
        times = exchange.request().times();
      },
      options);
  RawPeer peer = fixture.connect();
  peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: close\r\n\r\n");
  for (int i = 0; i < 3; ++i) fixture.loop.run_turn();
  peer.send("abc");
  fixture.read_to_end(peer);
  REQUIRE(times.head);
  CHECK(times.body >= times.head);
  CHECK(times.response_begun >= times.body);
  CHECK(times.response_ended >= times.response_begun);
  HTTPFixture plain([&](Exchange& exchange, Task<>&) {
    exchange.finish();
    times = exchange.request().times();
  });
  plain.talk(kGetAndClose);
  CHECK_FALSE(times.head);
}

}  // namespace
}  // namespace squall::http::exchange_interim_test
