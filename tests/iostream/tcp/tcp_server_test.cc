#include <squall/iostream/tcp/tcp_server.h>

#include <sys/resource.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "support/death.h"
#include "support/echo_server.h"
#include "support/stream_pair.h"
#include "support/test_loop.h"

namespace squall::tcp_server_test {
namespace {

using testing::ask;
using testing::Live;
using testing::loopback;
using testing::RawPeer;
using testing::TestLoop;

// Echoes lines, and obeys `throw`, `stop` and `close all`.
class LineServer : public TCPServer {
 public:
  using TCPServer::TCPServer;

 protected:
  Task<> handle_stream(IOStream stream, Address) override {
    const Live live;
    for (;;) {
      const std::string_view line = co_await stream.read_until("\n", 100);
      if (line == "throw\n") throw std::runtime_error("asked to");
      if (line == "stop\n") stop();
      if (line == "close all\n") close_all_connections();
      co_await stream.write(line);
    }
  }
};

TEST_CASE("each connection is served by its own task", "[tcp_server]") {
  TestLoop loop;
  LineServer server(loop);
  server.listen(0, loopback());
  std::vector<RawPeer> peers;
  for (int i = 0; i < 300; ++i) peers.emplace_back(server.port());  // more than one batch of accepts
  for (RawPeer& peer : peers) CHECK(ask(loop, peer, "hello\n") == "hello\n");
  CHECK(server.connections() == 300);
  peers.clear();
  loop.run_until([&] { return server.connections() == 0; });
  loop.run_turn();
  CHECK(Live::count == 0);
}

TEST_CASE("one server listens on several ports", "[tcp_server]") {
  TestLoop loop;
  LineServer server(loop);
  server.listen(0, loopback());
  auto more = bind_sockets(0, loopback());
  const std::uint16_t other = Address::local_of(more[0].get()).port();
  server.add_sockets(std::move(more));
  RawPeer a(server.port());
  RawPeer b(other);
  CHECK(ask(loop, a, "a\n") == "a\n");
  CHECK(ask(loop, b, "b\n") == "b\n");
}

TEST_CASE("an exception of handle_stream() is logged with the peer, and ends only that connection",
          "[tcp_server]") {
  TestLoop loop;
  LineServer server(loop);
  server.listen(0, loopback());
  RawPeer bad(server.port());
  RawPeer good(server.port());
  const std::string name = Address::local_of(bad.fd()).to_string();
  CHECK(ask(loop, bad, "throw\n") == "");
  const auto line = loop.log.expect("Uncaught exception serving " + name + ": asked to");
  CHECK(line.logger == "squall.application");
  CHECK(ask(loop, good, "still there\n") == "still there\n");
  RawPeer next(server.port());
  CHECK(ask(loop, next, "and served\n") == "and served\n");
}

class RudeServer : public LineServer {
 public:
  using LineServer::LineServer;
  bool refuses = true;

 protected:
  void accepted(OwnedFd fd, const Address& peer) override {
    if (refuses) throw 42;
    LineServer::accepted(std::move(fd), peer);
  }
  Task<> handle_stream(IOStream, Address) override {
    co_await moment();
    throw "rude";
  }
};

TEST_CASE("an exception of any type from handle_stream() is logged", "[tcp_server]") {
  TestLoop loop;
  RudeServer server(loop);
  server.listen(0, loopback());
  for (const bool refuses : {true, false}) {
    server.refuses = refuses;
    RawPeer peer(server.port());
    const std::string name = Address::local_of(peer.fd()).to_string();
    CHECK(ask(loop, peer, "hello\n") == "");
    loop.log.expect((refuses ? "Cannot serve " : "Uncaught exception serving ") + name +
                    ": not a std::exception");
  }
}

TEST_CASE("a peer that resets, or sends too much, ends its connection without a log line", "[tcp_server]") {
  TestLoop loop;
  LineServer server(loop);
  server.listen(0, loopback());
  RawPeer peer(server.port());
  CHECK(ask(loop, peer, "hello\n") == "hello\n");
  peer.reset();
  loop.run_until([&] { return server.connections() == 0; });
  RawPeer talker(server.port());
  CHECK(ask(loop, talker, std::string(200, 'x')) == "");
}

TEST_CASE("stop() refuses further connections and keeps the open ones (TSV-05)", "[tcp_server]") {
  TestLoop loop;
  LineServer server(loop);
  server.listen(0, loopback());
  RawPeer peer(server.port());
  CHECK(ask(loop, peer, "stop\n") == "stop\n");
  CHECK(server.port() == 0);
  CHECK(ask(loop, peer, "hello\n") == "hello\n");
  server.stop();
  server.listen(0, loopback());
  RawPeer later(server.port());
  CHECK(ask(loop, later, "again\n") == "again\n");
}

class StopsOnAccept : public TCPServer {
 public:
  using TCPServer::TCPServer;

 protected:
  Task<> handle_stream(IOStream, Address) override {
    stop();
    co_return;
  }
};

TEST_CASE("a server may be stopped while it accepts a batch (NET-16)", "[tcp_server]") {
  TestLoop loop;
  StopsOnAccept server(loop);
  server.listen(0, loopback());
  RawPeer a(server.port());
  RawPeer b(server.port());
  loop.run_until([&] { return server.port() == 0; });
}

TEST_CASE("close_all_connections() may be called by a connection", "[tcp_server]") {
  TestLoop loop;
  LineServer server(loop);
  server.listen(0, loopback());
  RawPeer a(server.port());
  RawPeer b(server.port());
  CHECK(ask(loop, a, "hello\n") == "hello\n");
  b.send("close all\n");
  std::string all;
  loop.run_until([&] { return a.drain(all) && b.drain(all); });
  CHECK(server.connections() == 0);
  CHECK(Live::count == 0);
}

Task<> close_all(TCPServer& server, std::vector<std::size_t>& left) {
  co_await server.close_all_connections();
  left.push_back(server.connections());
}

TEST_CASE("close_all_connections() can be awaited until all connections have ended (HSV-15)",
          "[tcp_server]") {
  TestLoop loop;
  LineServer server(loop);
  server.listen(0, loopback());
  std::vector<RawPeer> peers;
  for (int i = 0; i < 20; ++i) peers.emplace_back(server.port());
  for (RawPeer& peer : peers) CHECK(ask(loop, peer, "hello\n") == "hello\n");
  std::vector<std::size_t> left;
  SECTION("in a task") { loop.run(close_all(server, left)); }
  // A coroutine that a descriptor or a timer resumes runs behind the callbacks of its turn.
  SECTION("behind a timer") {
    loop.run([](TCPServer& server, std::vector<std::size_t>& left) -> Task<> {
      co_await sleep(std::chrono::milliseconds(1));
      co_await close_all(server, left);
    }(server, left));
  }
  CHECK(left == std::vector<std::size_t>{0});
  CHECK(Live::count == 0);
  for (RawPeer& peer : peers) {
    std::string all;
    loop.run_until([&] { return peer.drain(all); });
    CHECK(all.empty());
  }
  // The server still accepts.
  RawPeer next(server.port());
  CHECK(ask(loop, next, "hello\n") == "hello\n");
}

TEST_CASE("destroying the server cancels its connections", "[tcp_server]") {
  TestLoop loop;
  auto server = std::make_unique<LineServer>(loop);
  server->listen(0, loopback());
  RawPeer peer(server->port());
  CHECK(ask(loop, peer, "hello\n") == "hello\n");
  CHECK(Live::count == 1);
  server.reset();
  CHECK(Live::count == 0);
  std::string all;
  CHECK(peer.drain(all));
}

TEST_CASE(
    "without descriptors connections are refused with few log lines, and then served again (NET-17, SEC-82)",
    "[tcp_server]") {
  TestLoop loop;
  LineServer server(loop);
  server.listen(0, loopback());
  RawPeer first(server.port());
  CHECK(ask(loop, first, "hello\n") == "hello\n");
  std::vector<RawPeer> waiting;
  for (int i = 0; i < 3; ++i) waiting.emplace_back(server.port());

  // Allow no further descriptors.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const OwnedFd highest(::dup(first.fd()));
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(highest.get());
  std::vector<OwnedFd> fill;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
  for (;;) {
    OwnedFd fd(::dup(first.fd()));
    if (!fd) break;
    fill.push_back(std::move(fd));
  }
  std::string all;
  loop.run_until([&] { return waiting[0].drain(all); });
  loop.run_until([&] { return waiting[1].drain(all); });
  CHECK(ask(loop, first, "still served\n") == "still served\n");

  fill.clear();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(ask(loop, waiting[2], "hello\n") == "hello\n");
  CHECK(loop.log.expect_any("Cannot accept connections, pausing: Too many open files") == 1);
}

// A server that its connection destroys, at once or behind a line.
class Doomed : public TCPServer {
 public:
  Doomed(std::unique_ptr<Doomed>& self, bool reads, IOLoop& loop)
      : TCPServer(loop), self_(self), reads_(reads) {}

 private:
  Task<> handle_stream(IOStream stream, Address) override {
    std::unique_ptr<Doomed>& self = self_;
    if (reads_) co_await stream.read_until("\n");
    self.reset();
  }

  std::unique_ptr<Doomed>& self_;
  bool reads_;
};

TEST_CASE("a server that its own connection destroys ends the program with a message", "[tcp_server]") {
  for (const bool reads : {false, true}) {
    CAPTURE(reads);
    const std::string said = testing::last_words_of([reads] {
      IOLoop loop;
      std::unique_ptr<Doomed> server;
      server = std::make_unique<Doomed>(server, reads, loop);
      server->listen(0, loopback());
      RawPeer peer(server->port());
      peer.send("a line\n");
      for (int i = 0; i < 20 && server; ++i) loop.run_once(std::chrono::milliseconds(10));
    });
    CHECK(said.starts_with("squall: a "));
    CHECK(said.ends_with(" the server that runs it: leave that to a callback of the loop\n"));
  }
}

}  // namespace
}  // namespace squall::tcp_server_test
