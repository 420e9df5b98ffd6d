// Connections that a server did not accept itself: they are its own all the same.

#include <squall/http.h>
#include <squall/iostream/tls_context.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "support/http_fixture.h"
#include "support/tls_pair.h"

namespace squall::http {
namespace {

using namespace std::chrono_literals;
using testing::HTTPFixture;
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

TEST_CASE("a stream that is served has the timeouts of any connection", "[http_server]") {
  TestLoop loop;
  auto [mine, its] = tcp_pair();
  RawPeer peer(std::move(mine));
  ServeOptions options;
  options.server = impatient();
  bool ended = false;
  loop.spawn([](IOStream stream, ServeOptions options, bool& ended) -> Task<> {
    co_await serve(std::move(stream), [](Request&) { return Response("hello"); }, std::move(options));
    ended = true;
  }(IOStream(loop, std::move(its)), options, ended));
  peer.send("GET / HTTP/1.1\r\nHo");
  CHECK(until_closed(loop, peer).starts_with("HTTP/1.1 408 "));
  loop.run_until([&] { return ended; });
  loop.log.expect_any("Timeout reading the request's head");
}

}  // namespace
}  // namespace squall::http
