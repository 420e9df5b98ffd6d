#include <squall/iostream/tcp/tcp_server.h>

#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/descriptor_limit.h"
#include "support/echo_server.h"
#include "support/temporary_folder.h"

namespace squall::tcp_server_limits_test {
namespace {

using namespace std::chrono_literals;
using testing::ask;
using testing::connect_from;
using testing::connect_unix;
using testing::EchoServer;
using testing::is_closed;
using testing::loopback;
using testing::RawPeer;
using testing::TestLoop;

TCPServer::Options at_most(std::size_t connections) {
  TCPServer::Options options;
  options.max_connections = connections;
  return options;
}
TCPServer::Options per_address(std::size_t connections) {
  TCPServer::Options options;
  options.max_connections_per_address = connections;
  return options;
}

TEST_CASE("the default limit of connections leaves descriptors for other uses", "[tcp_server]") {
  TestLoop loop;
  {
    const testing::DescriptorLimit limit(1000);
    CHECK(EchoServer(loop).max_connections() == 936);
  }
  {
    const testing::DescriptorLimit limit(80);
    CHECK(EchoServer(loop).max_connections() == 70);
  }
  CHECK(EchoServer(at_most(5), loop).max_connections() == 5);
}

TEST_CASE("a server that could have no connections is an error", "[tcp_server]") {
  TestLoop loop;
  CHECK_THROWS_AS(EchoServer(at_most(0), loop), std::invalid_argument);
  CHECK_THROWS_AS(EchoServer(per_address(0), loop), std::invalid_argument);
}

TEST_CASE("beyond the limit connections wait until one ends, and the log is brief", "[tcp_server]") {
  TestLoop loop;
  EchoServer server(at_most(3), loop);
  server.listen(0, loopback());
  std::vector<RawPeer> peers;
  for (int i = 0; i < 10; ++i) peers.emplace_back(server.port());
  for (int i = 0; i < 3; ++i) CHECK(ask(loop, peers[i], "hello\n") == "hello\n");
  for (int turn = 0; turn < 20; ++turn) loop.run_turn();
  CHECK(server.connections() == 3);
  for (std::size_t i = 3; i < peers.size(); ++i) {
    peers[i].send("waited\n");
    CHECK(peers[i].received() == "");
  }
  // Each end of a connection admits the next one, in order.
  for (std::size_t i = 3; i < peers.size(); ++i) {
    peers[i - 3].close();
    std::string all;
    loop.run_until([&] {
      REQUIRE(server.connections() <= 3);
      return peers[i].drain(all) || !all.empty();
    });
    CHECK(all == "waited\n");
  }
  CHECK(loop.log.expect_any("Cannot accept connections, waiting for one to end: 3 are open") >= 1);
}

TEST_CASE("a full server does not spin", "[tcp_server]") {
  TestLoop loop;
  EchoServer server(at_most(1), loop);
  server.listen(0, loopback());
  RawPeer first(server.port());
  RawPeer second(server.port());
  CHECK(ask(loop, first, "hello\n") == "hello\n");
  loop.run_turn();
  // Nothing is ready, although a connection waits.
  const auto begin = IOLoop::Clock::now();
  loop.run_once(50ms);
  CHECK(IOLoop::Clock::now() - begin >= 50ms);
  first.reset();
  CHECK(ask(loop, second, "hello\n") == "hello\n");
  loop.log.expect_any("Cannot accept connections, waiting for one to end: 1 are open");
}

TEST_CASE("a full server goes on accepting on all of its sockets", "[tcp_server]") {
  TestLoop loop;
  EchoServer server(at_most(1), loop);
  server.listen(0, loopback());
  auto more = bind_sockets(0, loopback());
  const std::uint16_t other = Address::local_of(more[0].get()).port();
  server.add_sockets(std::move(more));
  for (int round = 0; round < 10; ++round) {
    RawPeer a(server.port());
    RawPeer b(other);
    a.send("a\n");
    b.send("b\n");
    std::string from_a;
    std::string from_b;
    loop.run_until([&] {
      a.drain(from_a);
      b.drain(from_b);
      return !from_a.empty() || !from_b.empty();
    });
    CHECK(from_a + from_b == (from_a.empty() ? "b\n" : "a\n"));
    // The end of the first connection admits the other.
    (from_a.empty() ? b : a).close();
    RawPeer& left = from_a.empty() ? a : b;
    std::string answer;
    loop.run_until([&] { return left.drain(answer) || !answer.empty(); });
    CHECK(answer == (from_a.empty() ? "a\n" : "b\n"));
    left.close();
    loop.run_until([&] { return server.connections() == 0; });
  }
  loop.log.expect_any("Cannot accept connections, waiting");
}

TEST_CASE("a full server that stops and listens again still obeys its limit", "[tcp_server]") {
  TestLoop loop;
  EchoServer server(at_most(1), loop);
  server.listen(0, loopback());
  RawPeer first(server.port());
  RawPeer refused(server.port());
  CHECK(ask(loop, first, "hello\n") == "hello\n");
  loop.run_turn();
  server.stop();
  server.listen(0, loopback());
  RawPeer second(server.port());
  for (int turn = 0; turn < 5; ++turn) loop.run_turn();
  CHECK(server.connections() == 1);
  first.close();
  CHECK(ask(loop, second, "hello\n") == "hello\n");
  loop.log.expect_any("Cannot accept connections, waiting");
}

TEST_CASE("an address that has its fill is sent away, and others are not", "[tcp_server]") {
  TestLoop loop;
  EchoServer server(per_address(2), loop);
  server.listen(0, loopback());
  RawPeer a = connect_from("127.0.0.2", server.port());
  RawPeer b = connect_from("127.0.0.2", server.port());
  CHECK(ask(loop, a, "a\n") == "a\n");
  CHECK(ask(loop, b, "b\n") == "b\n");
  std::vector<RawPeer> too_many;
  for (int i = 0; i < 5; ++i) too_many.push_back(connect_from("127.0.0.2", server.port()));
  for (RawPeer& peer : too_many) loop.run_until([&] { return is_closed(peer); });
  RawPeer other = connect_from("127.0.0.3", server.port());
  CHECK(ask(loop, other, "who\n") == Address::local_of(other.fd()).to_string() + "\n");
  CHECK(server.connections() == 3);
  // A line a second at most.
  CHECK(loop.log.expect_any("Connection from ") < 5);
  a.close();
  loop.run_until([&] { return server.connections() == 2; });
  RawPeer again = connect_from("127.0.0.2", server.port());
  CHECK(ask(loop, again, "again\n") == "again\n");
}

TEST_CASE("the line about an address that has its fill names the peer", "[tcp_server]") {
  TestLoop loop;
  EchoServer server(per_address(1), loop);
  server.listen(0, loopback());
  RawPeer a(server.port());
  CHECK(ask(loop, a, "a\n") == "a\n");
  RawPeer b(server.port());
  const std::string name = Address::local_of(b.fd()).to_string();
  loop.run_until([&] { return is_closed(b); });
  loop.log.expect("Connection from " + name + " refused: its address has 1 connections");
}

TEST_CASE("random connections exceed no limit, and the count ends at zero", "[tcp_server]") {
  std::mt19937 random(11);
  TestLoop loop;
  TCPServer::Options options = at_most(8);
  options.max_connections_per_address = 3;
  EchoServer server(options, loop);
  server.listen(0, loopback());
  struct Client {
    int address;
    RawPeer peer;
    bool is_served = false;
  };
  std::vector<Client> clients;
  for (int step = 0; step < 1500; ++step) {
    if (clients.size() < 20 && random() % 2) {
      const int address = 2 + static_cast<int>(random() % 5);
      clients.push_back({address, connect_from("127.0.0." + std::to_string(address), server.port())});
      clients.back().peer.send("hello\n");
    } else if (!clients.empty()) {
      Client& client = clients[random() % clients.size()];
      if (random() % 2) client.peer.reset();
      std::swap(client, clients.back());
      clients.pop_back();
    }
    for (std::size_t turns = random() % 3; turns > 0; --turns) loop.run_turn();
    std::size_t of_address[7] = {};
    for (Client& client : clients) {
      client.is_served = client.is_served || client.peer.received() == "hello\n";
      of_address[client.address] += client.is_served;
    }
    REQUIRE(server.connections() <= 8);
    for (const std::size_t count : of_address) REQUIRE(count <= 3);
  }
  clients.clear();
  loop.run_until([&] { return server.connections() == 0; });
  for (int round = 0; round < 8; ++round) {
    clients.push_back({0, connect_from("127.0.0." + std::to_string(2 + round / 2), server.port())});
    CHECK(ask(loop, clients.back().peer, "hello\n") == "hello\n");
  }
  CHECK(loop.log.expect_any("Connection from ") > 0);
  CHECK(loop.log.expect_any("Cannot accept connections, waiting") > 0);
}

TEST_CASE("Unix sockets have no limit for each address", "[tcp_server]") {
  const testing::TemporaryFolder folder;
  TestLoop loop;
  EchoServer server(per_address(1), loop);
  server.listen_unix(folder / "socket");
  for (int i = 0; i < 3; ++i) {
    RawPeer a = connect_unix(folder / "socket");
    RawPeer b = connect_unix(folder / "socket");
    CHECK(ask(loop, a, "a\n") == "a\n");
    CHECK(ask(loop, b, "b\n") == "b\n");
  }
}

}  // namespace
}  // namespace squall::tcp_server_limits_test
