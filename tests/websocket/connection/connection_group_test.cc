#include <squall/websocket/connection/connection_group.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/hex.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::connection_group_test {
namespace {

using squall::testing::to_hex;
using testing::close_payload;
using testing::RawPeer;
using testing::TestLoop;

// Destroys connections when they have closed.
struct Owner final : MessageReceiver {
  Task<> on_message(WebSocketConnection& socket, const Message& message) override {
    socket.write_message(message);
    return {};
  }
  void on_close(WebSocketConnection& socket) override { group.destroy(socket); }
  RawPeer add(TestLoop& loop) {
    auto [ours, theirs] = squall::testing::tcp_pair();
    group.add(std::make_unique<WebSocketConnection>(IOStream(std::move(ours), loop), Role::server), *this);
    return RawPeer(std::move(theirs));
  }

  ConnectionGroup group;
};

std::string all_of(TestLoop& loop, RawPeer& peer) {
  std::string all;
  loop.run_until([&] { return peer.drain(all); });
  return to_hex(all);
}

TEST_CASE("a group owns connections until their receiver destroys them", "[group]") {
  TestLoop loop;
  Owner owner;
  CHECK(owner.group.empty());
  RawPeer first = owner.add(loop);
  RawPeer second = owner.add(loop);
  CHECK(owner.group.size() == 2);
  first.send(testing::frame(Role::client, Opcode::text, "x") +
             testing::frame(Role::client, Opcode::close, close_payload(1000)));
  CHECK(all_of(loop, first) == "810178880203e8");
  loop.run_until([&] { return owner.group.size() == 1; });
  second.close();
  loop.run_until([&] { return owner.group.empty(); });
}

TEST_CASE("a group that is destroyed destroys its connections, whose peers see 1001", "[group]") {
  TestLoop loop;
  auto owner = std::make_unique<Owner>();
  RawPeer first = owner->add(loop);
  RawPeer second = owner->add(loop);
  owner.reset();
  CHECK(all_of(loop, first) == "880203e9");
  CHECK(all_of(loop, second) == "880203e9");
}

TEST_CASE("close_all() closes each connection with a handshake", "[group]") {
  TestLoop loop;
  Owner owner;
  std::vector<RawPeer> peers;
  for (int i = 0; i < 3; ++i) peers.push_back(owner.add(loop));
  owner.group.close_all(close_code::kGoingAway);
  CHECK(owner.group.size() == 3);
  for (RawPeer& peer : peers) {
    peer.send(testing::frame(Role::client, Opcode::close, close_payload(1001)));
    CHECK(all_of(loop, peer) == "880203e9");
  }
  loop.run_until([&] { return owner.group.empty(); });
}

TEST_CASE("for_each() visits each connection, and may destroy it", "[group]") {
  TestLoop loop;
  Owner owner;
  std::vector<RawPeer> peers;
  for (int i = 0; i < 3; ++i) peers.push_back(owner.add(loop));
  int visited = 0;
  owner.group.for_each([&](WebSocketConnection& socket) {
    if (++visited != 2) owner.group.destroy(socket);
  });
  CHECK(visited == 3);
  CHECK(owner.group.size() == 1);
}

}  // namespace
}  // namespace squall::websocket::connection_group_test
