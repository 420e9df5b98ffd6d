// The client's pool: connections that have grown old, and many that wait for a turn.

#include <squall/http/client/connection_pool.h>

#include <squall/http.h>
#include <squall/http/client/client_connection.h>

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

// ---- Turns.

Task<> take_turn(ConnectionPool& pool, ConnectionPool::Host& host, std::string name,
                 std::vector<std::string>& order) {
  const ConnectionPool::Turn turn = co_await pool.turn(host);
  order.push_back(std::move(name));
}

TEST_CASE("turns go to who has waited longest among those whose server has room", "[connection_pool]") {
  testing::TestLoop loop;
  ConnectionPool::Limits limits;
  limits.max_clients = 2;
  limits.max_clients_per_host = 1;
  ConnectionPool pool(loop, limits);
  std::vector<std::string> order;
  TaskGroup group(loop);
  ConnectionPool::Host& a = pool.host("a");
  ConnectionPool::Host& b = pool.host("b");
  ConnectionPool::Host& c = pool.host("c");
  auto hold = [](ConnectionPool& pool, ConnectionPool::Host& host, Event& go) -> Task<> {
    const ConnectionPool::Turn turn = co_await pool.turn(host);
    co_await go.wait();
  };
  Event a_ends;
  Event b_ends;
  group.add(hold(pool, a, a_ends));
  group.add(hold(pool, b, b_ends));
  group.add(take_turn(pool, a, "a1", order));
  group.add(take_turn(pool, c, "c1", order));
  group.add(take_turn(pool, c, "c2", order));
  group.add(take_turn(pool, b, "b1", order));
  group.add(take_turn(pool, a, "a2", order));
  CHECK(pool.waiting() == 5);
  // With b's place c1 goes before b1, and a1 has to wait for a's.
  b_ends.set();
  loop.run_until([&] { return order.size() == 3; });
  CHECK(order == std::vector<std::string>{"c1", "c2", "b1"});
  a_ends.set();
  loop.run_until([&] { return group.empty(); });
  CHECK(order == std::vector<std::string>{"c1", "c2", "b1", "a1", "a2"});
  CHECK(pool.waiting() == 0);
  CHECK(pool.active() == 0);
}

TEST_CASE("who gives up waiting leaves the queue as it was for the others", "[connection_pool]") {
  testing::TestLoop loop;
  ConnectionPool::Limits limits;
  limits.max_clients = 1;
  ConnectionPool pool(loop, limits);
  std::vector<std::string> order;
  Event go;
  TaskGroup holding(loop);
  const auto hold = [](ConnectionPool& pool, Event& go) -> Task<> {
    const ConnectionPool::Turn turn = co_await pool.turn(pool.host("a"));
    co_await go.wait();
  };
  holding.add(hold(pool, go));
  TaskGroup first(loop);
  first.add(take_turn(pool, pool.host("b"), "b1", order));
  TaskGroup rest(loop);
  rest.add(take_turn(pool, pool.host("c"), "c1", order));
  rest.add(take_turn(pool, pool.host("b"), "b2", order));
  first.destroy();
  CHECK(pool.waiting() == 2);
  go.set();
  loop.run_until([&] { return order.size() == 2; });
  CHECK(order == std::vector<std::string>{"c1", "b2"});
}

// Looking at all who wait, with each turn, would be 2,500 million steps along a list.
TEST_CASE("fifty thousand may wait for a server of which one request at a time is allowed",
          "[connection_pool]") {
  testing::TestLoop loop;
  ConnectionPool::Limits limits;
  limits.max_clients = 100;
  limits.max_clients_per_host = 1;
  ConnectionPool pool(loop, limits);
  constexpr int kWaiting = 50'000;
  std::vector<std::string> order;
  Event go;
  TaskGroup group(loop);
  const auto hold = [](ConnectionPool& pool, Event& go) -> Task<> {
    const ConnectionPool::Turn turn = co_await pool.turn(pool.host("full"));
    co_await go.wait();
  };
  group.add(hold(pool, go));
  for (int i = 0; i < kWaiting; ++i) group.add(take_turn(pool, pool.host("full"), "full", order));
  // Another server's come and go meanwhile.
  const auto come_and_go = [](ConnectionPool& pool) -> Task<> {
    for (int i = 0; i < kWaiting; ++i) {
      const ConnectionPool::Turn turn = co_await pool.turn(pool.host("free"));
    }
  };
  const auto begun = std::chrono::steady_clock::now();
  loop.run(come_and_go(pool));
  CHECK(std::chrono::steady_clock::now() - begun < 5s);
  go.set();
  loop.run_until([&] { return group.empty(); });
  CHECK(order.size() == kWaiting);
}

}  // namespace
}  // namespace squall::http
