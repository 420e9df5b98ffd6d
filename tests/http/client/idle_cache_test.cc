#include <squall/http/client/idle_cache.h>

#include <squall/http.h>
#include <squall/http/client/client_connection.h>

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "support/answer_server.h"
#include "support/http_clients.h"
#include "support/stream_pair.h"

namespace squall::http::idle_cache_test {
namespace {

using namespace std::chrono_literals;
using testing::ok;
using Fixture = testing::ClientFixture<SimpleAsyncHTTPClient>;
using Options = AsyncHTTPClient::Options;

// A cache, and connections to keep in it with their peers.
struct Scene {
  explicit Scene(IdleCache::Limits limits = IdleCache::Limits()) : cache(limits, loop) {}
  testing::RawPeer keep(IdleCache::Host& host) {
    auto [ours, theirs] = testing::tcp_pair();
    IOStream stream(std::move(ours), loop);
    cache.keep(host, std::make_unique<ClientConnection>(std::move(stream), Via::direct, std::string()));
    return testing::RawPeer(std::move(theirs));
  }
  bool take(IdleCache::Host& host) { return cache.take(host) != nullptr; }

  testing::TestLoop loop;
  IdleCache::Host a;
  IdleCache::Host b;
  IdleCache cache;
};

TEST_CASE("the connection that was used last is taken first", "[idle_cache]") {
  Scene scene;
  testing::RawPeer first = scene.keep(scene.a);
  testing::RawPeer second = scene.keep(scene.a);
  testing::RawPeer other = scene.keep(scene.b);
  CHECK(scene.cache.size() == 3);
  std::unique_ptr<ClientConnection> taken = scene.cache.take(scene.a);
  REQUIRE(taken);
  const auto write = [](IOStream& stream) -> Task<> { co_await stream.write("x"); };
  scene.loop.run(write(taken->stream()));
  std::string received;
  scene.loop.run_until([&] { return !(received += second.received()).empty(); });
  CHECK(scene.take(scene.a));
  CHECK_FALSE(scene.take(scene.a));
  CHECK_FALSE(scene.a.in_use());
  CHECK(scene.b.in_use());
}

TEST_CASE("a connection is discarded when the server closes it or sends anything", "[idle_cache]") {
  Scene scene;
  testing::RawPeer closed = scene.keep(scene.a);
  testing::RawPeer spoken = scene.keep(scene.a);
  closed.close();
  spoken.send("HTTP/1.1 408 Too Late\r\n\r\n");
  scene.loop.run_until([&] { return scene.cache.size() == 0; });
  CHECK_FALSE(scene.a.in_use());
}

TEST_CASE("the cache closes the connection that has been idle longest when there are too many",
          "[idle_cache]") {
  IdleCache::Limits limits;
  limits.max_idle = 2;
  Scene scene(limits);
  testing::RawPeer first = scene.keep(scene.a);
  testing::RawPeer second = scene.keep(scene.b);
  testing::RawPeer third = scene.keep(scene.b);
  CHECK(scene.cache.size() == 2);
  CHECK_FALSE(scene.a.in_use());
  std::string received;
  CHECK(first.drain(received));
  CHECK_FALSE(second.drain(received));
}

TEST_CASE("close_all() closes every connection, and so does destroying the cache", "[idle_cache]") {
  std::string received;
  testing::RawPeer left{OwnedFd()};
  {
    Scene scene;
    testing::RawPeer peer = scene.keep(scene.a);
    scene.cache.close_all();
    CHECK(peer.drain(received));
    left = scene.keep(scene.a);
  }
  CHECK(left.drain(received));
}

// The loop does not run between keep() and take() in these tests, so the watch of the connection reports
// nothing.

TEST_CASE("a connection that was idle for more than a second is checked, and then used", "[idle_cache]") {
  Scene scene;
  testing::RawPeer quiet = scene.keep(scene.a);
  std::this_thread::sleep_for(1050ms);
  CHECK(scene.take(scene.a));
}

TEST_CASE("a connection on which bytes have arrived is not used, although no watch has reported them",
          "[idle_cache]") {
  Scene scene;
  testing::RawPeer closed = scene.keep(scene.a);
  testing::RawPeer spoken = scene.keep(scene.a);
  testing::RawPeer reset = scene.keep(scene.a);
  closed.close();
  spoken.send("HTTP/1.1 408 Too Late\r\n\r\n");
  reset.reset();
  std::this_thread::sleep_for(1050ms);
  CHECK_FALSE(scene.take(scene.a));
  CHECK(scene.cache.size() == 0);
}

TEST_CASE("a connection that the server has just closed is not used if the caller asks for a check",
          "[idle_cache]") {
  Scene scene;
  testing::RawPeer quiet = scene.keep(scene.a);
  testing::RawPeer closed = scene.keep(scene.b);
  closed.close();
  CHECK(scene.cache.take(scene.a, IdleCache::Check::always));
  CHECK_FALSE(scene.cache.take(scene.b, IdleCache::Check::always));
  CHECK(scene.cache.size() == 0);
}

TEST_CASE("a connection older than idle_timeout is not used, although no timer has fired", "[idle_cache]") {
  IdleCache::Limits limits;
  limits.idle_timeout = 20ms;
  Scene scene(limits);
  testing::RawPeer peer = scene.keep(scene.a);
  std::this_thread::sleep_for(25ms);
  CHECK_FALSE(scene.take(scene.a));
}

TEST_CASE("the blocking client checks its connections too, because its loop does not run between two fetches",
          "[idle_cache][threads]") {
  std::atomic<std::uint16_t> port = 0;
  std::atomic<bool> close = false;
  std::atomic<bool> closed = false;
  std::atomic<bool> stop = false;
  std::thread thread([&] {
    testing::TestLoop loop;
    testing::AnswerServer server(loop, [](const std::string&) { return ok("x"); });
    port = server.port();
    loop.run_until([&] { return close.load(); });
    server.close_all_connections();
    closed = true;
    loop.run_until([&] { return stop.load(); });
  });
  while (port == 0) std::this_thread::yield();
  HTTPClient client;
  HTTPRequest post(fmt::format("http://127.0.0.1:{}/", port.load()));  // not idempotent: no retry
  post.method = "POST";
  post.body = "x";
  CHECK(client.fetch(post).body() == "x");
  close = true;
  while (!closed) std::this_thread::yield();
  std::this_thread::sleep_for(1050ms);
  CHECK(client.fetch(post).body() == "x");
  stop = true;
  thread.join();
}

TEST_CASE("without an idle_timeout no timer is set", "[idle_cache]") {
  Options options;
  options.idle_timeout = std::nullopt;
  Fixture fixture([](const std::string&) { return ok("x"); }, options);
  fixture.fetch(fixture.server.url());
  fixture.fetch(fixture.server.url());
  CHECK(fixture.server.accepted_connections == 1);
  CHECK(fixture.client.idle_connections() == 1);
}

}  // namespace
}  // namespace squall::http::idle_cache_test
