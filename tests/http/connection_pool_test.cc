// The client's pool: connections that have grown old, and many that wait for a turn.

#include <squall/http/connection_pool.h>

#include <squall/http.h>
#include <squall/http/client_connection.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/answer_server.h"
#include "support/http_clients.h"
#include "support/stream_pair.h"

namespace squall::http {
namespace {

using namespace std::chrono_literals;
using testing::ok;
using Fixture = testing::ClientFixture<SimpleAsyncHTTPClient>;
using Options = AsyncHTTPClient::Options;

// ---- Connections. The loop does not run between keep() and take(): nobody has watched them.

// A pool with a connection in it, and its other end.
struct Kept {
  explicit Kept(ConnectionPool::Limits limits = ConnectionPool::Limits())
      : pool(loop, limits), host(pool.host("a")) {
    auto [ours, theirs] = testing::tcp_pair();
    peer = testing::RawPeer(std::move(theirs));
    IOStream stream(loop, std::move(ours));
    pool.keep(host, std::make_unique<ClientConnection>(std::move(stream), Via::direct, std::string()));
  }
  bool take() { return pool.take(host) != nullptr; }

  testing::TestLoop loop;
  ConnectionPool pool;
  ConnectionPool::Host& host;
  testing::RawPeer peer{OwnedFd()};
};

TEST_CASE("a connection that was idle for a while is asked whether it still is, and then used",
          "[connection_pool]") {
  Kept fresh;
  CHECK(fresh.take());
  Kept old;
  std::this_thread::sleep_for(1050ms);
  CHECK(old.take());
}

TEST_CASE("one that the server has closed, or sent something on, is not used though nobody has watched it",
          "[connection_pool]") {
  Kept closed;
  closed.peer.close();
  Kept spoken;
  spoken.peer.send("HTTP/1.1 408 Too Late\r\n\r\n");
  Kept reset;
  reset.peer.reset();
  std::this_thread::sleep_for(1050ms);
  CHECK_FALSE(closed.take());
  CHECK_FALSE(spoken.take());
  CHECK_FALSE(reset.take());
  CHECK(closed.pool.idle() == 0);
}

TEST_CASE("one that is older than idle_timeout is not used though no timer could say so",
          "[connection_pool]") {
  ConnectionPool::Limits limits;
  limits.idle_timeout = 20ms;
  Kept kept(limits);
  std::this_thread::sleep_for(25ms);
  CHECK_FALSE(kept.take());
}

TEST_CASE("the blocking client's connections are asked too, whose loop stands still in between",
          "[connection_pool][threads]") {
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
  HTTPRequest post(fmt::format("http://127.0.0.1:{}/", port.load()));  // could not be repeated
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

TEST_CASE("an idle_timeout without end sets no timer", "[connection_pool]") {
  Options options;
  options.idle_timeout = std::chrono::nanoseconds::max();
  Fixture fixture([](const std::string&) { return ok("x"); }, options);
  fixture.fetch(fixture.server.url());
  fixture.fetch(fixture.server.url());
  CHECK(fixture.server.accepted_connections == 1);
  CHECK(fixture.client.idle_connections() == 1);
}

}  // namespace
}  // namespace squall::http
