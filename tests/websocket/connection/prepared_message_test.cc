// Messages that are framed and compressed once for many connections.

#include <squall/websocket/connection/prepared_message.h>

#include <squall/websocket/codec/message_reader.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <fmt/format.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/hex.h"
#include "websocket/connection/peer_reader.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::prepared_message_test {
namespace {

using squall::testing::to_hex;
using testing::PeerReader;
using testing::Scene;
using testing::Stuck;
using testing::with_queue;
using WhenFull = QueueOptions::WhenFull;

ConnectionTerms compressed_terms(DeflateWindow send = {}) {
  ConnectionTerms terms;
  terms.deflate = DeflateTerms{.send = send, .receive = {}};
  return terms;
}

// A text of `count` different lines, without blanks.
std::string lines(int count, int first = 0) {
  std::string text;
  for (int i = first; i < first + count; ++i) text += fmt::format("price[{}]={};", i, i * 7919 % 10007);
  return text;
}

// Bytes that do not shrink.
std::string noise(std::size_t size) {
  std::string bytes;
  std::uint32_t state = 1;
  for (; bytes.size() < size; state = state * 1664525 + 1013904223) bytes += static_cast<char>(state >> 24);
  return bytes;
}

// Decodes a server's frames: each text followed by a blank.
std::string decode(std::string bytes, const DeflateWindow& window) {
  MessageReader::Options options;
  options.role = Role::client;
  options.deflate = window;
  MessageReader reader(options);
  std::string all;
  for (std::span<char> unread(bytes);;) {
    switch (reader.read(unread)) {
      case MessageReader::Result::more: return all;
      case MessageReader::Result::text: all.append(reader.payload()) += ' '; break;
      default: return all + "failed";
    }
  }
}

TEST_CASE("a prepared message is one frame without a mask, and keeps its text", "[prepared_message]") {
  const PreparedMessage message("Hello");
  CHECK(to_hex(*message.frame().bytes) == "810548656c6c6f");
  CHECK_FALSE(message.frame().is_compressed);
  CHECK(message.data() == "Hello");
  CHECK(message.size() == 5);
  CHECK(message.type() == MessageType::text);
  const PreparedMessage binary(std::string(70000, 'x'), MessageType::binary);
  CHECK(to_hex(binary.frame().bytes->substr(0, 11)) == "827f000000000001117078");
  CHECK(binary.data() == std::string(70000, 'x'));
  CHECK(binary.type() == MessageType::binary);
  CHECK(PreparedMessage("").data().empty());
}

TEST_CASE("pings and pongs are not prepared", "[prepared_message]") {
  CHECK_THROWS_AS(PreparedMessage("x", MessageType::ping), std::invalid_argument);
  CHECK_THROWS_AS(PreparedMessage("x", MessageType::pong), std::invalid_argument);
}

TEST_CASE("copies share the frames, which are freed with the last copy", "[prepared_message]") {
  std::optional<PreparedMessage> message(lines(10));
  std::optional<PreparedMessage> copy(message);
  const std::weak_ptr<const std::string> plain = message->frame().bytes;
  const std::weak_ptr<const std::string> small = message->compressed_frame({}).bytes;
  message.reset();
  CHECK(copy->frame().bytes == plain.lock());
  CHECK(copy->compressed_frame({}).bytes == small.lock());
  copy.reset();
  CHECK(plain.expired());
  CHECK(small.expired());
}

TEST_CASE("a message is compressed once for each kind of receiver", "[prepared_message]") {
  const PreparedMessage message(lines(2000));
  const auto& frame = message.compressed_frame({});
  REQUIRE(frame.is_compressed);
  CHECK(frame.bytes->size() < message.size() / 2);
  CHECK(&message.compressed_frame({}) == &frame);
  CHECK(&message.compressed_frame({.window_bits = 10}) != &frame);
  CHECK(&message.compressed_frame({.level = 1}) != &frame);
  CHECK(&message.compressed_frame({.memory_level = 9}) != &frame);
  CHECK(&message.compressed_frame({.window_bits = 8}) == &message.compressed_frame({.window_bits = 9}));
  CHECK(&message.compressed_frame({}) == &frame);
}

TEST_CASE("a small message has one frame for all windows", "[prepared_message]") {
  const PreparedMessage message(lines(14));
  REQUIRE(message.size() < 250);
  const auto& frame = message.compressed_frame({});
  REQUIRE(frame.is_compressed);
  for (int bits = 8; bits < 15; ++bits) CHECK(&message.compressed_frame({.window_bits = bits}) == &frame);
  for (int level = 2; level < 10; ++level)
    CHECK(&message.compressed_frame({.memory_level = level}) == &frame);
}

TEST_CASE("a compressed frame refers only to what the window of its receiver has", "[prepared_message]") {
  // A repetition at each distance from 200 to 40000.
  std::string text = noise(200);
  for (char& c : text) c = static_cast<char>('a' + (static_cast<unsigned char>(c) & 15));
  const std::string part = text;
  for (int distance = 300; text.size() < 80000; distance = distance * 5 / 4)
    text += lines(distance / 16) + part;
  const PreparedMessage message(text);
  for (int bits = 8; bits <= 15; ++bits) {
    const auto& frame = message.compressed_frame({.window_bits = bits});
    CHECK(frame.is_compressed);
    const bool is_same = decode(*frame.bytes, {.bits = bits}) == text + ' ';
    CHECK(is_same);
  }
  CHECK(decode(*message.compressed_frame({}).bytes, {.bits = 9}).ends_with("failed"));
}

TEST_CASE("a message that compression makes no smaller is sent as it is", "[prepared_message]") {
  const PreparedMessage random(noise(5000), MessageType::binary);
  CHECK(random.compressed_frame({}).bytes == random.frame().bytes);
  CHECK_FALSE(random.compressed_frame({}).is_compressed);
  const PreparedMessage stored(lines(100));
  CHECK(stored.compressed_frame({.level = 0}).bytes == stored.frame().bytes);
  const PreparedMessage small(std::string(PreparedMessage::kMinCompressed - 1, 'x'));
  CHECK(small.compressed_frame({}).bytes == small.frame().bytes);
  CHECK(
      PreparedMessage(std::string(PreparedMessage::kMinCompressed, 'x')).compressed_frame({}).is_compressed);
}

TEST_CASE("connections send the same frame, and own and shared messages in the order of the calls",
          "[prepared_message]") {
  const PreparedMessage message("shared");
  for (int i = 0; i < 3; ++i) {
    Scene scene;
    scene.socket->write_message("one");
    scene.socket->write_message(message);
    CHECK(scene.socket->post_message(message));
    CHECK(scene.socket->post_message("two"));
    CHECK(PeerReader(Role::client).read_until(scene, "two") == "one shared shared two ");
  }
}

TEST_CASE("post_now() sends in this turn, behind messages that wait", "[prepared_message]") {
  const PreparedMessage message("shared");
  Scene scene;
  CHECK(scene.socket->post_now(message));
  CHECK(scene.socket->waiting_bytes() == 0);  // no turn of the loop has run
  CHECK(scene.socket->post_message("one"));
  CHECK(scene.socket->waiting_bytes() > 0);
  CHECK(scene.socket->post_now(message));
  CHECK(scene.socket->waiting_bytes() == 0);
  CHECK(scene.socket->post_message("two"));
  CHECK(PeerReader(Role::client).read_until(scene, "two") == "shared one shared two ");
}

TEST_CASE("post_now() of a client sends in this turn, too, also what is compressed", "[prepared_message]") {
  const PreparedMessage message(lines(100));
  for (const bool is_compressed : {false, true}) {
    CAPTURE(is_compressed);
    Scene scene(Role::client, {}, is_compressed ? compressed_terms() : ConnectionTerms{});
    CHECK(scene.socket->post_message("one"));
    CHECK(scene.socket->post_now(message));
    CHECK(scene.socket->waiting_bytes() == 0);  // no turn of the loop has run
  }
  Scene server(Role::server, {}, compressed_terms());
  CHECK(server.socket->post_now(message));
  CHECK(server.socket->waiting_bytes() == 0);
}

TEST_CASE("post_now() to a slow peer follows the rule of the queue", "[prepared_message]") {
  Stuck stuck(with_queue(WhenFull::drop_newest, 2));
  const PreparedMessage message(std::string(30'000, 'x'));
  int posted = 0;
  while (stuck.socket->post_now(message)) ++posted;
  CHECK(posted >= 2);
  CHECK(stuck.socket->dropped_messages() == 1);
}

TEST_CASE("a large frame is not copied: it waits by reference, and is released once it is sent",
          "[prepared_message]") {
  Stuck stuck(with_queue(WhenFull::close, 10));
  const PreparedMessage large(std::string(500'000, 'x'));
  CHECK(large.frame().bytes.use_count() == 1);
  stuck.socket->write_message(large);
  CHECK(large.frame().bytes.use_count() == 2);
  CHECK(stuck.rest(large.data()) == std::string(large.data()) + ' ');
  CHECK(large.frame().bytes.use_count() == 1);
}

TEST_CASE("shared messages wait in the queue by reference, and count as others", "[prepared_message]") {
  Stuck stuck(with_queue(WhenFull::drop_oldest, 3, 2000));
  const std::uint64_t before = stuck.socket->waiting_bytes();
  std::vector<PreparedMessage> messages;
  for (int i = 0; i < 5; ++i) messages.emplace_back(fmt::format("{:0100}", i));
  for (const PreparedMessage& message : messages) CHECK(stuck.socket->post_message(message));
  CHECK(stuck.socket->waiting_bytes() == before + 3 * 164);
  CHECK(stuck.socket->dropped_messages() == 2);
  CHECK(stuck.socket->post_message("own"));
  CHECK_FALSE(stuck.socket->post_message(PreparedMessage(std::string(1937, 'x'))));
  CHECK(stuck.socket->dropped_messages() == 4);
  messages.clear();
  CHECK(stuck.rest("own") == fmt::format("{:0100} {:0100} own ", 3, 4));
}

TEST_CASE("the awaited write waits for the kernel, and a closed connection refuses the message",
          "[prepared_message]") {
  Stuck stuck(with_queue(WhenFull::close));
  bool sent = false;
  TaskGroup tasks(stuck.loop);
  tasks.add([](WebSocketConnection& socket, bool& sent) -> Task<> {
    const PreparedMessage message("last");
    co_await socket.write_message(message);
    sent = true;
  }(*stuck.socket, sent));
  for (int i = 0; i < 5; ++i) stuck.loop.run_turn();
  CHECK_FALSE(sent);
  CHECK(stuck.rest("last") == "last ");
  stuck.loop.run_until([&] { return sent; });
  stuck.socket->close();
  CHECK_THROWS_AS(stuck.socket->write_message(PreparedMessage("x")), WebSocketClosedError);
  CHECK_FALSE(stuck.socket->post_message(PreparedMessage("x")));
}

TEST_CASE("with context takeover own and shared messages follow each other", "[prepared_message]") {
  for (const int bits : {9, 12, 15}) {
    Scene scene(Role::server, {}, compressed_terms({.bits = bits}));
    const PreparedMessage shared(lines(300, 100));
    const std::string own = lines(300);
    std::string expected;
    for (int i = 0; i < 3; ++i) {
      scene.socket->write_message(own);
      scene.socket->write_message(shared);
      scene.socket->write_message(shared);
      CHECK(scene.socket->post_message(own));
      expected += own + ' ' + std::string(shared.data()) + ' ' + std::string(shared.data()) + ' ' + own + ' ';
    }
    scene.socket->write_message("end");
    const bool is_same =
        PeerReader(Role::client, compressed_terms({.bits = bits})).read_until(scene, "end") ==
        expected + "end ";
    CHECK(is_same);
  }
}

TEST_CASE("a shared message that is not compressed leaves the connection its context", "[prepared_message]") {
  Scene scene(Role::server, {}, compressed_terms());
  scene.socket->write_message("Hello");
  scene.socket->write_message(PreparedMessage("small"));
  scene.socket->write_message("Hello");
  // WSK-V13
  CHECK(to_hex(scene.received(23)) ==
        "c107f248cdc9c90700"
        "8105736d616c6c"
        "c105f200110000");
}

TEST_CASE("without context takeover shared messages are compressed too", "[prepared_message]") {
  const DeflateWindow window{.bits = 11, .context_takeover = false};
  Scene scene(Role::server, {}, compressed_terms(window));
  const PreparedMessage shared(lines(50));
  scene.socket->write_message("own");
  scene.socket->write_message(shared);
  scene.socket->write_message("own");
  CHECK(PeerReader(Role::client, compressed_terms(window)).read_until(scene, shared.data()) ==
        "own " + std::string(shared.data()) + ' ');
  CHECK(shared.compressed_frame({.window_bits = 11}).bytes.use_count() == 1);
}

TEST_CASE("the kinds of a connection are its window and the levels of its terms", "[prepared_message]") {
  ConnectionTerms terms = compressed_terms({.bits = 10});
  terms.compression.level = 9;
  terms.compression.memory_level = 5;
  Scene scene(Role::server, {}, terms);
  const PreparedMessage shared(lines(2000));
  const std::string expected =
      *shared.compressed_frame({.window_bits = 10, .level = 9, .memory_level = 5}).bytes;
  scene.socket->write_message(shared);
  const bool is_same = scene.received(expected.size()) == expected;
  CHECK(is_same);
}

TEST_CASE("a client masks a shared message anew for each frame, and compresses it itself",
          "[prepared_message]") {
  const PreparedMessage shared(lines(100));
  Scene scene(Role::client);
  scene.socket->write_message(shared);
  scene.socket->post_message(shared);
  const std::string bytes = scene.received(2 * (8 + shared.size()));
  CHECK(bytes.substr(4, 4) != bytes.substr(8 + shared.size() + 4, 4));

  Scene compressed(Role::client, {}, compressed_terms());
  compressed.socket->write_message(shared);
  compressed.socket->write_message("own");
  CHECK(PeerReader(Role::server,
                   ConnectionTerms{.subprotocol = {}, .deflate = DeflateTerms{}, .compression = {}})
            .read_until(compressed, "own") == std::string(shared.data()) + " own ");
}

TEST_CASE("threads that send one message make each of its frames once", "[prepared_message][threads]") {
  const PreparedMessage message(lines(2000));
  constexpr int kThreads = 4;
  std::atomic<int> ready = 0;
  std::vector<std::vector<const std::string*>> frames(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i, copy = message] {
      ++ready;
      while (ready < kThreads) std::this_thread::yield();
      for (int round = 0; round < 3; ++round)
        for (const int bits : {9, 11, 13, 15})
          frames[static_cast<std::size_t>(i)].push_back(
              copy.compressed_frame({.window_bits = bits}).bytes.get());
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& of_thread : frames) CHECK(of_thread == frames[0]);
}

}  // namespace
}  // namespace squall::websocket::prepared_message_test
