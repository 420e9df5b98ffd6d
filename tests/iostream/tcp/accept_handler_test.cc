#include <squall/iostream/tcp/accept_handler.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "support/echo_server.h"
#include "support/listeners.h"

namespace squall::accept_handler_test {
namespace {

using testing::loopback;
using testing::RawPeer;
using testing::TestLoop;

struct Listening {
  OwnedFd socket = std::move(bind_sockets(0, loopback())[0]);
  std::uint16_t port = Address::local_of(socket.get()).port();
};

TEST_CASE("a turn accepts at most 128 connections, and other descriptors get their turn (NET-15)",
          "[accept_handler]") {
  TestLoop loop;
  Listening many;
  Listening one;
  std::vector<OwnedFd> accepted;
  bool has_other = false;
  std::vector<RawPeer> peers;
  for (int i = 0; i < 300; ++i) peers.emplace_back(many.port);
  RawPeer other(one.port);
  const AcceptHandler accepting = add_accept_handler(
      std::move(many.socket), [&](OwnedFd fd, const Address&) { accepted.push_back(std::move(fd)); }, loop);
  const AcceptHandler accepting_other =
      add_accept_handler(std::move(one.socket), [&](OwnedFd, const Address&) { has_other = true; }, loop);
  std::vector<std::size_t> in_a_turn;
  while (accepted.size() < peers.size()) {
    const std::size_t before = accepted.size();
    loop.run_turn();
    if (accepted.size() > before) in_a_turn.push_back(accepted.size() - before);
    CHECK(has_other);
  }
  CHECK(in_a_turn == std::vector<std::size_t>{128, 128, 44});
}

TEST_CASE("the callback gets a non-blocking connection and the peer's address", "[accept_handler]") {
  TestLoop loop;
  Listening listening;
  std::optional<IOStream> stream;
  Address from;
  const AcceptHandler accepting = add_accept_handler(
      std::move(listening.socket),
      [&](OwnedFd fd, const Address& peer) {
        char byte;
        const int error = ::recv(fd.get(), &byte, 1, 0) < 0 ? errno : 0;
        CHECK(error == EAGAIN);
        stream.emplace(std::move(fd), IOStream::Options(), loop);
        from = peer;
      },
      loop);
  RawPeer peer(listening.port);
  loop.run_until([&] { return stream.has_value(); });
  CHECK(from == Address::local_of(peer.fd()));
  stream->write("hello");
  std::string all;
  loop.run_until([&] { return peer.drain(all) || all == "hello"; });
}

TEST_CASE("the handler may be destroyed by its callback, and closes the socket (NET-16)",
          "[accept_handler]") {
  TestLoop loop;
  Listening listening;
  RawPeer first(listening.port);
  RawPeer second(listening.port);
  int calls = 0;
  std::optional<AcceptHandler> accepting;
  accepting = add_accept_handler(
      std::move(listening.socket),
      [&accepting, &calls, captured = std::make_shared<int>(7)](OwnedFd, const Address&) {
        accepting.reset();
        calls += *captured;
      },
      loop);
  loop.run_until([&] { return calls != 0; });
  loop.run_turn();
  CHECK(calls == 7);
  OwnedFd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address to = Address::parse_ip("127.0.0.1", listening.port).value();
  const int error = ::connect(late.get(), to.data(), to.size()) < 0 ? errno : 0;
  CHECK(error == ECONNREFUSED);
}

TEST_CASE("an exception of the callback is logged, and the next connection is accepted", "[accept_handler]") {
  TestLoop loop;
  Listening listening;
  int calls = 0;
  const AcceptHandler accepting = add_accept_handler(
      std::move(listening.socket),
      [&](OwnedFd, const Address&) {
        if (++calls == 1) throw std::runtime_error("not today");
      },
      loop);
  RawPeer first(listening.port);
  RawPeer second(listening.port);
  loop.run_until([&] { return calls == 2; });
  loop.log.expect("Cannot serve " + Address::local_of(first.fd()).to_string() + ": not today");
}

TEST_CASE("a socket that does not listen is refused", "[accept_handler]") {
  TestLoop loop;
  OwnedFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto add = [&] {
    const AcceptHandler accepting =
        add_accept_handler(std::move(socket), [](OwnedFd, const Address&) {}, loop);
  };
  CHECK_THROWS_AS(add(), std::invalid_argument);
}

}  // namespace
}  // namespace squall::accept_handler_test
