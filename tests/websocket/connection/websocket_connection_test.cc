// Messages in both directions, pings and pongs.

#include <squall/websocket/connection/websocket_connection.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/hex.h"
#include "websocket/connection/peer_reader.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::websocket_connection_test {
namespace {

using squall::testing::connected_pair;
using squall::testing::from_hex;
using squall::testing::to_hex;
using testing::frame;
using testing::read_all;
using testing::Scene;
using testing::TestLoop;

const ConnectionTerms kCompressed{.subprotocol = {}, .deflate = DeflateTerms{}, .compression = {}};

TEST_CASE("a server sends the frames of WSK-V1 and WSK-V3 to WSK-V6", "[websocket]") {
  Scene scene;
  scene.socket->write_message("Hello");
  CHECK(to_hex(scene.received(7)) == "810548656c6c6f");
  scene.socket->write_message(std::string(126, '\0'), MessageType::binary);
  CHECK(scene.received(130) == from_hex("82 7e 00 7e") + std::string(126, '\0'));
  scene.socket->write_message(std::string(65536, 'x'), MessageType::binary);
  CHECK(scene.received(65546) == from_hex("82 7f 00 00 00 00 00 01 00 00") + std::string(65536, 'x'));
  scene.socket->ping("ping");
  CHECK(to_hex(scene.received(6)) == "890470696e67");
  scene.socket->pong("ping");
  CHECK(to_hex(scene.received(6)) == "8a0470696e67");
  scene.socket->close(1000, "bye");
  CHECK(to_hex(scene.received(7)) == "880503e8627965");
}

TEST_CASE("a client masks each frame with a key of its own (WSK-35)", "[websocket]") {
  Scene scene(Role::client);
  std::string keys[2];
  for (std::string& key : keys) {
    scene.socket->write_message("Hello");
    std::string bytes = scene.received(11);
    CHECK(to_hex(bytes.substr(0, 2)) == "8185");
    key = bytes.substr(2, 4);
    for (std::size_t i = 0; i < 5; ++i) bytes[6 + i] ^= key[i % 4];
    CHECK(bytes.substr(6) == "Hello");
  }
  CHECK(keys[0] != keys[1]);
}

TEST_CASE("messages arrive in order, whole or in fragments, in one piece or byte by byte", "[websocket]") {
  for (const Role role : {Role::server, Role::client}) {
    Scene scene(role);
    const Role peer = scene.peer_role();
    const std::string bytes = frame(peer, Opcode::text, "one") + frame(peer, Opcode::text, "tw", false) +
                              frame(peer, Opcode::ping, "p") + frame(peer, Opcode::continuation, "o") +
                              frame(peer, Opcode::binary, "") + frame(peer, Opcode::pong, "unasked");
    scene.peer.send(bytes);
    CHECK(scene.read() == "text:one");
    CHECK(scene.read() == "text:two");
    CHECK(scene.read() == "binary:");
    for (const char byte : bytes) {
      scene.peer.send({&byte, 1});
      scene.loop.run_turn();
    }
    CHECK(scene.read() == "text:one");
    CHECK(scene.read() == "text:two");
    CHECK(scene.read() == "binary:");
    // Both pings are answered (WSK-46).
    if (role == Role::server) CHECK(to_hex(scene.received(6)) == "8a01708a0170");
  }
}

TEST_CASE("read_any() gives pings, which are answered before, and pongs (WSK-22, WSK-47)", "[websocket]") {
  Scene scene;
  scene.send(Opcode::ping, "hey");
  scene.send(Opcode::pong, "you");
  scene.send(Opcode::text, "t");
  std::string all;
  scene.loop.run([](WebSocketConnection& socket, std::string& all) -> Task<> {
    for (int i = 0; i < 3; ++i) {
      const std::optional<Message> message = co_await socket.read_any();
      all += testing::describe(message) + ' ';
    }
  }(*scene.socket, all));
  CHECK(all == "ping:hey pong:you text:t ");
  CHECK(to_hex(scene.received(5)) == "8a03686579");
}

TEST_CASE("a message stays valid until the next read, while other work of the loop runs", "[websocket]") {
  Scene scene;
  auto [a, b] = connected_pair(scene.loop);
  scene.send(Opcode::text, "first");
  const std::string other(1000, 'x');
  scene.loop.run([](Scene& scene, IOStream& a, IOStream& b, const std::string& other) -> Task<> {
    const std::optional<Message> message = co_await scene.socket->read_message();
    scene.send(Opcode::text, "second");
    a.write(other);
    const ReadView received = co_await b.read_bytes(other.size());
    CHECK(received == other);
    CHECK(testing::describe(message) == "text:first");
  }(scene, a, b, other));
  CHECK(scene.read() == "text:second");
}

// Echoes until the end.
Task<> echo(WebSocketConnection& socket) {
  for (;;) {
    const std::optional<Message> message = co_await socket.read_message();
    if (!message) co_return;
    co_await socket.write_message(*message);
  }
}

constexpr std::size_t kSizes[] = {0, 1, 125, 126, 2047, 2048, 16'383, 65'535, 65'536, 1'000'000};

Task<> talk(WebSocketConnection& client, int& right) {
  for (const std::size_t size : kSizes) {
    std::string sent(size, 'a');
    for (std::size_t i = 0; i < size; ++i) sent[i] = static_cast<char>('a' + i * i % 23);
    for (int way = 0; way < 4; ++way) {
      const MessageType type = way < 2 ? MessageType::text : MessageType::binary;
      if (way % 2 == 0) {
        client.write_message(std::string_view(sent), type);
      } else {
        client.write_message(std::string(sent), type);
      }
      const std::optional<Message> message = co_await client.read_message();
      if (message && message->data == sent && message->type == type) ++right;
    }
  }
  client.close(4001, "enough");
  co_await client.wait_closed();
}

TEST_CASE("a client and a server echo messages of all sizes, plain and compressed", "[websocket]") {
  for (const bool compressed : {false, true}) {
    for (const bool takeover : {false, true}) {
      TestLoop loop;
      auto [a, b] = connected_pair(loop);
      ConnectionTerms terms;
      if (compressed) {
        const DeflateWindow window{.bits = 15, .context_takeover = takeover};
        terms.deflate = DeflateTerms{.send = window, .receive = window};
      }
      WebSocketConnection server(std::move(a), Role::server, terms);
      WebSocketConnection client(std::move(b), Role::client, terms);
      CHECK(client.is_compressed() == compressed);
      int right = 0;
      loop.run([](WebSocketConnection& server, WebSocketConnection& client, int& right) -> Task<> {
        co_await multi(echo(server), talk(client, right));
      }(server, client, right));
      CHECK(right == 40);
      CHECK(server.close_code() == 4001);
      CHECK(server.close_reason() == "enough");
      CHECK(client.close_code() == 4001);
      CHECK(client.close_reason().empty());
      CHECK(server.is_closed());
      CHECK(client.is_closed());
    }
  }
}

TEST_CASE("every message is compressed if that was negotiated, with the context of the ones before (WSK-63)",
          "[websocket]") {
  Scene scene(Role::server, {}, kCompressed);
  scene.socket->write_message("Hello");
  scene.socket->write_message("Hello");
  CHECK(to_hex(scene.received(16)) == "c107f248cdc9c90700c105f200110000");
  scene.peer.send(frame(Role::client, Opcode::text, from_hex("f2 48 cd c9 c9 07 00"), true, true));
  CHECK(scene.read() == "text:Hello");
  scene.send(Opcode::text, "plain");
  CHECK(scene.read() == "text:plain");
}

TEST_CASE("awaiting a write waits until the peer takes the message (WSK-24)", "[websocket]") {
  Scene scene;
  const std::string big(20'000'000, 'x');
  bool sent = false;
  TaskGroup tasks(scene.loop);
  tasks.add([](WebSocketConnection& socket, const std::string& big, bool& sent) -> Task<> {
    co_await socket.write_message(big, MessageType::binary);
    sent = true;
  }(*scene.socket, big, sent));
  for (int i = 0; i < 10; ++i) scene.loop.run_turn();
  CHECK_FALSE(sent);
  const bool is_same = scene.received(big.size() + 10).substr(10) == big;
  CHECK(is_same);
  scene.loop.run_until([&] { return sent; });
}

TEST_CASE("a message that the stream's buffer has no room for is refused, and the connection stays open",
          "[websocket]") {
  for (const Role role : {Role::server, Role::client}) {
    for (const bool compressed : {false, true}) {
      Scene scene(role, {}, compressed ? kCompressed : ConnectionTerms{}, {.max_write_buffer_size = 5000});
      CHECK_THROWS_AS(scene.socket->write_message(std::string(5001, 'x')), StreamBufferFullError);
      CHECK_THROWS_AS(scene.socket->write_message(std::string_view(std::string(5001, 'x'))),
                      StreamBufferFullError);
      CHECK(scene.socket->waiting_bytes() == 0);
      scene.socket->write_message("Hello");
      std::string bytes = scene.received(role == Role::server ? 7 : 11);
      CHECK(to_hex(bytes.substr(0, 1)) == (compressed ? "c1" : "81"));
    }
  }
}

TEST_CASE("a compressed message without room is refused, and the peer understands the next one",
          "[websocket]") {
  ConnectionTerms stored = kCompressed;
  stored.compression.level = 0;  // a compressed message is larger than the bytes that it is made of
  Scene scene(Role::server, {}, stored, {.max_write_buffer_size = 5000});
  CHECK_THROWS_AS(scene.socket->write_message(std::string(5000, 'x')), StreamBufferFullError);
  CHECK_FALSE(scene.socket->is_closing());
  CHECK(scene.socket->waiting_bytes() == 0);
  scene.socket->write_message("Hello");
  scene.socket->close(close_code::kNormal);
  CHECK(testing::PeerReader(Role::client, stored).read_until(scene, "") == "Hello 1000");
}

TEST_CASE("a control frame of more than 125 bytes is refused, and nothing is sent (WSK-25)", "[websocket]") {
  Scene scene;
  CHECK_THROWS_AS(scene.socket->ping(std::string(126, 'x')), std::invalid_argument);
  CHECK_THROWS_AS(scene.socket->pong(std::string(126, 'x')), std::invalid_argument);
  CHECK_THROWS_AS(scene.socket->write_message("x", MessageType::ping), std::invalid_argument);
  scene.socket->ping(std::string(125, 'x'));
  CHECK(scene.received(127).size() == 127);
}

TEST_CASE("a second read while one waits throws logic_error", "[websocket]") {
  Scene scene;
  TaskGroup tasks(scene.loop);
  std::string first;
  tasks.add([](WebSocketConnection& socket, std::string& first) -> Task<> {
    first = co_await testing::read_one(socket);
  }(*scene.socket, first));
  CHECK(scene.socket->is_reading());
  CHECK_THROWS_AS(scene.loop.run(testing::read_one(*scene.socket)), std::logic_error);
  scene.send(Opcode::text, "still");
  scene.loop.run_until([&] { return !first.empty(); });
  CHECK(first == "text:still");
  CHECK_FALSE(scene.socket->is_reading());
}

TEST_CASE("a peer with many small messages does not hold the loop", "[websocket]") {
  Scene scene;
  std::string bytes;
  for (int i = 0; i < 8000; ++i) bytes += frame(Role::client, Opcode::text, "x");
  scene.peer.send(bytes);
  int received = 0;
  TaskGroup tasks(scene.loop);
  tasks.add([](WebSocketConnection& socket, int& received) -> Task<> {
    for (;;) {
      const std::optional<Message> message = co_await socket.read_message();
      if (!message) co_return;
      ++received;
    }
  }(*scene.socket, received));
  int most = 0;
  scene.loop.run_until([&, before = 0]() mutable {
    most = std::max(most, received - before);
    before = received;
    return received == 8000;
  });
  CHECK(most <= 3 * IOLoop::kBudget);
}

TEST_CASE("without a mask a client's frame is a fault, unless the server accepts it (WSK-37)",
          "[websocket]") {
  Scene strict;
  strict.peer.send(from_hex("81 05 48 65 6c 6c 6f"));
  strict.peer.half_close();
  CHECK(strict.read() == "end");
  CHECK(strict.socket->fault().code == 1002);
  Scene lenient(Role::server, {.accepts_unmasked = true});
  lenient.peer.send(from_hex("81 05 48 65 6c 6c 6f"));
  CHECK(lenient.read() == "text:Hello");
}

}  // namespace
}  // namespace squall::websocket::websocket_connection_test
