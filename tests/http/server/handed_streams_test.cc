// Connections that a server did not accept itself are treated as its own.

#include <squall/http.h>
#include <squall/iostream/tls/tls_context.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "support/http_fixture.h"
#include "support/tls_pair.h"

namespace squall::http::handed_streams_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::RawPeer;
using testing::tcp_pair;
using testing::TestLoop;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

std::string until_closed(TestLoop& loop, RawPeer& peer) {
  std::string all;
  loop.run_until([&] { return peer.drain(all); });
  return all;
}

HTTPServer::Options impatient() {
  HTTPServer::Options options;
  options.head_timeout = options.linger_timeout = 40ms;
  return options;
}

TEST_CASE("a stream given to serve_stream has the same timeouts as an accepted connection", "[http_server]") {
  TestLoop loop;
  auto [mine, its] = tcp_pair();
  RawPeer peer(std::move(mine));
  ServeOptions options;
  options.server = impatient();
  bool ended = false;
  loop.spawn([](IOStream stream, ServeOptions options, bool& ended) -> Task<> {
    co_await serve_stream(
        std::move(stream), [](ServerRequest&) { return ServerResponse("hello"); }, std::move(options));
    ended = true;
  }(IOStream(std::move(its), loop), options, ended));
  peer.send("GET / HTTP/1.1\r\nHo");
  CHECK(until_closed(loop, peer).starts_with("HTTP/1.1 408 "));
  loop.run_until([&] { return ended; });
  loop.log.expect("408 GET / (127.0.0.1)");
}

// A server, and clients of streams that are given to serve_stream().
struct Handing {
  explicit Handing(testing::FunctionDelegate::Function function) : delegate(std::move(function)) {}
  RawPeer hand_over() {
    auto [mine, its] = tcp_pair();
    loop.spawn([](HTTPServer& server, IOStream stream, int& ended) -> Task<> {
      co_await server.serve_stream(std::move(stream));
      ++ended;
    }(*server, IOStream(std::move(its), loop), ended));
    return RawPeer(std::move(mine));
  }
  TestLoop loop;
  testing::FunctionDelegate delegate;
  std::unique_ptr<HTTPServer> server = std::make_unique<HTTPServer>(delegate, loop);
  int ended = 0;
};

void never(Exchange& exchange, Task<>& pending) {
  pending = [](Exchange&, Live) -> Task<> { co_await sleep(1h); }(exchange, Live());
}

TEST_CASE("closing, draining and destroying a server end the streams given to it", "[http_server]") {
  Handing handing(never);
  RawPeer busy = handing.hand_over();
  RawPeer idle = handing.hand_over();
  busy.send(kGet);
  handing.loop.run_until([&] { return Live::count > 0; });
  CHECK(handing.server->connections() == 2);
  SECTION("close_all_connections()") {
    handing.server->close_all_connections();
    CHECK(until_closed(handing.loop, busy).empty());
  }
  SECTION("draining") {
    const std::size_t cut = handing.loop.run(handing.server->drain(200ms));
    CHECK(cut == 1);
    CHECK(until_closed(handing.loop, busy).empty());
  }
  SECTION("the server's destruction") {
    handing.server.reset();
    CHECK(Live::count == 0);
    CHECK(until_closed(handing.loop, busy).empty());
  }
  CHECK(until_closed(handing.loop, idle).empty());
  handing.loop.run_until([&] { return handing.ended == 2; });
  CHECK(Live::count == 0);
}

TEST_CASE("dropping the task of serve_stream closes a busy stream and an idle one", "[http_server]") {
  Handing handing(never);
  for (const bool is_busy : {false, true}) {
    auto [mine, its] = tcp_pair();
    RawPeer peer(std::move(mine));
    TaskGroup serving(handing.loop);
    serving.add(handing.server->serve_stream(IOStream(std::move(its), handing.loop)));
    if (is_busy) peer.send(kGet);
    handing.loop.run_until(
        [&] { return handing.server->connections() == 1 && (Live::count > 0) == is_busy; });
    serving.destroy();
    CHECK(handing.server->connections() == 0);
    CHECK(Live::count == 0);
    CHECK(until_closed(handing.loop, peer).empty());
  }
}

TEST_CASE("a plain stream after a TLS stream has protocol http", "[http_server]") {
  const testing::TLSSides sides;
  Handing handing([](Exchange& exchange, Task<>&) { exchange.finish(exchange.request().protocol()); });
  auto [client, server] = testing::connected_pair(handing.loop);
  handing.loop.run(testing::secure_both(client, server, sides.client(), sides.server()));
  handing.loop.spawn(handing.server->serve_stream(std::move(server)));
  const std::string first = handing.loop.run([](IOStream& stream) -> Task<std::string> {
    co_await stream.write(kGet);
    const ReadView answer = co_await stream.read_until("https");
    co_return std::string(answer);
  }(client));
  CHECK(first.ends_with("\r\n\r\nhttps"));
  RawPeer peer = handing.hand_over();
  peer.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(until_closed(handing.loop, peer).ends_with("\r\n\r\nhttp"));
}

}  // namespace
}  // namespace squall::http::handed_streams_test
