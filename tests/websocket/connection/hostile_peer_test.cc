// Peers that send bytes in the worst pieces, more control frames than messages, or bombs.

#include <squall/ioloop/base/sanitizer.h>
#include <squall/websocket/codec/deflate.h>
#include <squall/websocket/codec/message_reader.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "support/hex.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::hostile_peer_test {
namespace {

using squall::testing::from_hex;
using testing::close_payload;
using testing::frame;
using testing::read_all;
using testing::Scene;

const ConnectionTerms kCompressed{.subprotocol = {}, .deflate = DeflateTerms{}, .compression = {}};

std::size_t memory_in_use() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}
// The allocators of sanitizers do not count.
constexpr bool kCountsMemory = !kAddressSanitizer && !kThreadSanitizer;

// One of every kind of frame, and of every form of its size; a close frame is last.
std::string every_frame(Role peer) {
  const auto bytes = [peer](Opcode opcode, std::string_view payload, bool fin = true,
                            bool compressed = false) {
    return frame(peer, opcode, payload, fin, compressed);
  };
  return bytes(Opcode::text, "Hello") + bytes(Opcode::binary, "") + bytes(Opcode::text, "gr\xc3", false) +
         bytes(Opcode::ping, "now") + bytes(Opcode::continuation, "", false) + bytes(Opcode::pong, "") +
         bytes(Opcode::continuation,
               "\xbc\xc3\x9f"
               "e") +
         bytes(Opcode::binary, std::string(130, '\xff')) +
         bytes(Opcode::text, from_hex("f248cdc9c90700"), true, true) +
         bytes(Opcode::text, from_hex("f20011"), false, true) + bytes(Opcode::ping, "") +
         bytes(Opcode::continuation, from_hex("0000")) + bytes(Opcode::close, close_payload(1000, "bye"));
}

TEST_CASE("every frame may be cut at every byte, and the messages are the same", "[websocket][hostile]") {
  for (const Role role : {Role::server, Role::client}) {
    const Role peer = role == Role::server ? Role::client : Role::server;
    const std::string bytes = every_frame(peer);
    const std::string expected =
        "text:Hello binary: text:gr\xc3\xbc\xc3\x9f"
        "e binary:" +
        std::string(130, '\xff') + " text:Hello text:Hello end ";
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      CAPTURE(role, cut);
      Scene scene(role, {}, kCompressed);
      std::string all;
      TaskGroup tasks(scene.loop);
      tasks.add([](WebSocketConnection& socket, std::string& all) -> Task<> {
        all = co_await read_all(socket);
      }(*scene.socket, all));
      if (cut > 0) scene.peer.send(std::string_view(bytes).substr(0, cut));
      scene.loop.run_turn();
      if (cut < bytes.size()) scene.peer.send(std::string_view(bytes).substr(cut));
      scene.peer.half_close();
      scene.loop.run_until([&] { return !all.empty(); });
      CHECK(all == expected);
      CHECK(scene.socket->close_code() == 1000);
    }
  }
}

TEST_CASE("a peer may vanish behind every byte: whole messages arrive, then one end",
          "[websocket][hostile]") {
  const std::string bytes = every_frame(Role::client);
  const std::string whole =
      "text:Hello binary: text:gr\xc3\xbc\xc3\x9f"
      "e binary:" +
      std::string(130, '\xff') + " text:Hello text:Hello ";
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    for (const bool is_reset : {false, true}) {
      CAPTURE(cut, is_reset);
      Scene scene(Role::server, {}, kCompressed);
      if (cut > 0) scene.peer.send(std::string_view(bytes).substr(0, cut));
      is_reset ? scene.peer.reset() : scene.peer.close();
      const std::string all = scene.read_to_end();
      REQUIRE(all.ends_with("end "));
      CHECK(whole.starts_with(all.substr(0, all.size() - 4)));
      CHECK_FALSE(scene.socket->close_code());
      CHECK_FALSE(scene.socket->fault());
    }
  }
}

TEST_CASE("a frame of each form of the size arrives byte by byte", "[websocket][hostile]") {
  for (const std::size_t size : {0, 125, 126, 65536}) {
    CAPTURE(size);
    Scene scene;
    std::string message;
    TaskGroup tasks(scene.loop);
    tasks.add([](WebSocketConnection& socket, std::string& message) -> Task<> {
      message = co_await testing::read_one(socket);
    }(*scene.socket, message));
    const std::string bytes = frame(Role::client, Opcode::binary, std::string(size, 'x'));
    for (const char byte : bytes) {
      CHECK(message.empty());
      scene.peer.send({&byte, 1});
      scene.loop.run_turn();
    }
    scene.loop.run_until([&] { return !message.empty(); });
    CHECK(message.size() == 7 + size);
  }
}

// Counts the pongs of a server, and remembers the last one.
class Pongs {
 public:
  void take(std::string& bytes) {
    std::span<char> rest(bytes);
    for (;;) {
      const MessageReader::Result result = reader_.read(rest);
      if (result == MessageReader::Result::more) return;
      if (result != MessageReader::Result::pong) FAIL("not a pong");
      ++count;
      last = reader_.payload();
    }
  }

  std::size_t count = 0;
  std::string last;

 private:
  MessageReader reader_{{.role = Role::client}};
};

TEST_CASE("a million pings get at most a million pongs, and memory stays flat, whether the peer reads or not",
          "[websocket][hostile]") {
  constexpr std::size_t kPings = 1'000'000;
  constexpr std::size_t kBatch = 1000;
  for (const bool reads : {true, false}) {
    CAPTURE(reads);
    Scene scene;
    TaskGroup tasks(scene.loop);
    tasks.add(scene.socket->wait_closed());
    Pongs pongs;
    std::string received;
    received.reserve(4 * 1024 * 1024);
    // Batches of pings; the last one has a payload of its own.
    std::string batch;
    for (std::size_t i = 0; i < kBatch; ++i) batch += frame(Role::client, Opcode::ping, "0123456789abcdef");
    std::size_t before = 0;
    std::size_t most = 0;
    std::uint64_t most_waiting = 0;
    for (std::size_t sent = 0; sent < kPings; sent += kBatch) {
      if (sent + kBatch == kPings) {
        batch.resize(batch.size() - frame(Role::client, Opcode::ping, "0123456789abcdef").size());
        batch += frame(Role::client, Opcode::ping, "last");
      }
      std::string_view left = batch;
      while (!left.empty()) {
        left.remove_prefix(scene.peer.send_some(left));
        scene.loop.run_turn();
        if (reads) {
          received.clear();
          scene.peer.drain(received);
          pongs.take(received);
        }
      }
      most_waiting = std::max(most_waiting, scene.socket->waiting_bytes());
      if (sent == kPings / 4) before = memory_in_use();
      if (sent > kPings / 4) most = std::max(most, memory_in_use());
    }
    CHECK(most_waiting <= SendQueue::kHighWater + 2 * kBatch * 18);
    if (kCountsMemory) CHECK(most < before + 64 * 1024);
    scene.loop.run_until([&] {
      received.clear();
      scene.peer.drain(received);
      pongs.take(received);
      return pongs.last == "last";
    });
    CHECK(pongs.count <= kPings);
    if (reads) CHECK(pongs.count == kPings);
    CHECK_FALSE(scene.socket->is_closing());
    tasks.cancel();
  }
}

TEST_CASE("a deflate bomb as the first message ends the connection at max_message_size",
          "[websocket][hostile]") {
  MessageCompressor compressor({}, {.level = 9});
  std::string bomb;
  const std::string zeros(1024 * 1024, '\0');
  for (int i = 0; i < 128; ++i) compressor.compress(zeros, Part::more, bomb);
  compressor.compress("", Part::last, bomb);
  const std::string bytes = frame(Role::client, Opcode::binary, bomb, true, true);
  REQUIRE(bytes.size() < 150'000);
  constexpr std::size_t kLimit = 1'000'000;
  Scene scene(Role::server, {.max_message_size = kLimit}, kCompressed);
  std::size_t most = 0;
  std::string all;
  TaskGroup tasks(scene.loop);
  tasks.add([](WebSocketConnection& socket, std::string& all) -> Task<> { all = co_await read_all(socket); }(
                                                                  *scene.socket, all));
  scene.loop.run_turn();
  const std::size_t before = memory_in_use();
  for (std::string_view left = bytes; !left.empty();) {
    left.remove_prefix(scene.peer.send_some(left.substr(0, 10'000)));
    scene.loop.run_turn();
    most = std::max(most, memory_in_use());
    if (scene.socket->is_closing()) break;
  }
  CHECK(scene.socket->fault().code == close_code::kMessageTooBig);
  if (kCountsMemory) CHECK(most < before + kLimit + 256 * 1024);
  CHECK(squall::testing::to_hex(scene.received_to_end().substr(2, 2)) == "03f1");
  scene.peer.close();
  scene.loop.run_until([&] { return !all.empty(); });
  CHECK(all == "end ");
}

Task<> count_messages(WebSocketConnection& socket, int& count) {
  for (;;) {
    const std::optional<Message> message = co_await socket.read_message();
    if (!message) co_return;
    ++count;
  }
}

TEST_CASE("a peer whose messages expand much lets the loop serve others between them", "[hostile]") {
  constexpr int kMessages = 6;
  std::string deflated;
  MessageCompressor(DeflateWindow(), DeflateOptions())
      .compress(std::string(1'000'000, 'x'), Part::last, deflated);
  std::string bytes;
  for (int i = 0; i < kMessages; ++i) bytes += frame(Role::client, Opcode::binary, deflated, true, true);
  Scene scene(Role::server, {}, kCompressed);
  scene.peer.send(bytes);
  int count = 0;
  TaskGroup tasks(scene.loop);
  tasks.add(count_messages(*scene.socket, count));
  int most = 0;
  while (count < kMessages) {
    const int before = count;
    scene.loop.run_turn();
    most = std::max(most, count - before);
  }
  CHECK(most <= 2);
}

}  // namespace
}  // namespace squall::websocket::hostile_peer_test
