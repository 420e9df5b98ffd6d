// Messages that are sent in pieces.

#include <squall/websocket/connection/message_writer.h>

#include <squall/websocket/connection/websocket_connection.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "support/hex.h"
#include "websocket/connection/peer_reader.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::message_writer_test {
namespace {

using squall::testing::Live;
using squall::testing::to_hex;
using testing::PeerReader;
using testing::Scene;
using testing::Stuck;
using testing::with_queue;
using WhenFull = QueueOptions::WhenFull;

const ConnectionTerms kCompressed{.subprotocol = {}, .deflate = DeflateTerms{}, .compression = {}};
const ConnectionTerms kNoTakeover{
    .subprotocol = {},
    .deflate = DeflateTerms{.send = {.context_takeover = false}, .receive = {.context_takeover = false}},
    .compression = {}};

// Text of many kinds, without blanks.
std::string text_of(std::size_t size, unsigned seed) {
  std::string text;
  for (std::uint32_t state = seed; text.size() < size; state = state * 1664525 + 1013904223)
    text += static_cast<char>('a' + (state >> 24) % 16);
  return text;
}

TEST_CASE("each piece is a frame, and finish() sends the last one", "[message_writer]") {
  Scene scene;
  MessageWriter writer = scene.socket->begin_message();
  writer.write("He");
  writer.write(std::string("l"));
  writer.write(std::string_view("l"));
  CHECK_FALSE(writer.is_finished());
  writer.finish("o");
  CHECK(writer.is_finished());
  CHECK(to_hex(scene.received(13)) ==
        "01024865"
        "00016c"
        "00016c"
        "80016f");
}

TEST_CASE("a message of one piece is one frame, and empty pieces are none", "[message_writer]") {
  Scene scene;
  scene.socket->begin_message().finish("Hello");
  scene.socket->begin_message(MessageType::binary).finish();
  MessageWriter writer = scene.socket->begin_message(MessageType::binary);
  writer.write("");
  writer.write(std::string());
  writer.write("x");
  writer.finish();
  CHECK(to_hex(scene.received(14)) ==
        "810548656c6c6f"
        "8200"
        "020178"
        "8000");
}

TEST_CASE("a text may be cut within a character", "[message_writer]") {
  Scene scene;
  MessageWriter writer = scene.socket->begin_message();
  for (const char byte : std::string_view("a\u00fc\u20ac\U0001f600"))
    writer.write(std::string_view(&byte, 1));
  writer.finish();
  CHECK(PeerReader(Role::client).read_until(scene, "a\u00fc\u20ac\U0001f600") == "a\u00fc\u20ac\U0001f600 ");
}

TEST_CASE("control frames go between the pieces", "[message_writer]") {
  Scene scene;
  MessageWriter writer = scene.socket->begin_message();
  writer.write("a");
  scene.socket->ping("p");
  scene.send(Opcode::ping, "q");
  scene.send(Opcode::text, "t");
  CHECK(scene.read() == "text:t");
  writer.finish("b");
  CHECK(to_hex(scene.received(12)) ==
        "010161"
        "890170"
        "8a0171"
        "800162");
}

TEST_CASE("another message is refused until the first is finished", "[message_writer]") {
  Scene scene;
  MessageWriter writer = scene.socket->begin_message();
  CHECK_THROWS_AS(scene.socket->write_message("x"), std::logic_error);
  CHECK_THROWS_AS(scene.socket->write_message(std::string("x")), std::logic_error);
  CHECK_THROWS_AS(scene.socket->write_message(PreparedMessage("x")), std::logic_error);
  CHECK_THROWS_AS(scene.socket->begin_message(), std::logic_error);
  CHECK_THROWS_AS(scene.socket->begin_message(MessageType::ping), std::invalid_argument);
  writer.finish("first");
  scene.socket->write_message("second");
  CHECK(PeerReader(Role::client).read_until(scene, "second") == "first second ");
}

TEST_CASE("posted messages wait until the message is finished", "[message_writer]") {
  Scene scene;
  MessageWriter writer = scene.socket->begin_message();
  writer.write("fi");
  CHECK(scene.socket->post_message("second"));
  CHECK(scene.socket->post_message(PreparedMessage("third")));
  CHECK(scene.socket->handle().post_message("fourth"));
  for (int i = 0; i < 5; ++i) scene.loop.run_turn();
  CHECK(scene.received(4) ==
        "\x01\x02"
        "fi");
  CHECK(scene.received_now().empty());
  writer.finish("rst");
  CHECK(scene.received(5) == "\x80\x03rst");
  CHECK(PeerReader(Role::client).read_until(scene, "fourth") == "second third fourth ");
}

TEST_CASE("messages that wait for the end of another one have the limits of the queue", "[message_writer]") {
  Scene scene(Role::server, with_queue(WhenFull::drop_oldest));
  MessageWriter writer = scene.socket->begin_message();
  for (int i = 0; i < 5; ++i) CHECK(scene.socket->post_message(std::to_string(i)));
  writer.finish("pieces");
  CHECK(PeerReader(Role::client).read_until(scene, "4") == "pieces 2 3 4 ");
  Scene closing(Role::server, with_queue(WhenFull::close, 1));
  MessageWriter cut = closing.socket->begin_message();
  cut.write("a");
  CHECK(closing.socket->post_message("0"));
  CHECK_FALSE(closing.socket->post_message("1"));
  CHECK_THROWS_AS(cut.write("b"), WebSocketClosedError);
  CHECK(closing.received(3) ==
        "\x01\x01"
        "a");
  CHECK(closing.received(4) == "\x88\x0a\x03\xf5");
  CHECK(closing.socket->dropped_messages() == 2);
}

TEST_CASE("a message in pieces goes behind the messages that wait, and pongs between its pieces",
          "[message_writer]") {
  Stuck stuck(with_queue(WhenFull::close));
  CHECK(stuck.socket->post_message("first"));
  MessageWriter writer = stuck.socket->begin_message();
  writer.write("sec");
  CHECK(stuck.socket->post_message("third"));
  stuck.send(Opcode::ping, "p");
  stuck.send(Opcode::text, "t");
  CHECK(stuck.read() == "text:t");
  CHECK(stuck.rest("first") == "first ");
  CHECK(stuck.rest("p") == "pong:p ");
  writer.finish("ond");
  CHECK(stuck.rest("third") == "second third ");
}

TEST_CASE("close() sends its frame between two pieces, and drops the messages that wait",
          "[message_writer]") {
  Scene scene;
  MessageWriter writer = scene.socket->begin_message();
  writer.write("a");
  CHECK(scene.socket->post_message("waits"));
  scene.socket->close(1000);
  CHECK(scene.socket->dropped_messages() == 1);
  CHECK_THROWS_AS(writer.write("b"), WebSocketClosedError);
  CHECK_THROWS_AS(writer.finish(), WebSocketClosedError);
  CHECK(to_hex(scene.received(7)) ==
        "010161"
        "880203e8");
  CHECK(scene.received_now().empty());
}

TEST_CASE("a message that is not finished closes the connection with 1011", "[message_writer]") {
  for (const Role role : {Role::server, Role::client}) {
    for (const ConnectionTerms& terms : {ConnectionTerms(), kCompressed}) {
      Scene scene(role, {}, terms);
      {
        MessageWriter writer = scene.socket->begin_message();
        writer.write(text_of(200'000, 1));
        CHECK(scene.socket->post_message("waits"));
      }
      CHECK(scene.socket->is_closing());
      CHECK(PeerReader(scene.peer_role(), terms).read_until(scene, "") == "1011");
    }
  }
}

TEST_CASE("a message of which nothing was sent may be given up", "[message_writer]") {
  for (const ConnectionTerms& terms : {ConnectionTerms(), kCompressed, kNoTakeover}) {
    Scene scene(Role::server, {}, terms);
    scene.socket->write_message("first message");
    {
      MessageWriter writer = scene.socket->begin_message();
      if (terms.deflate) writer.write("first message, and a piece that the compressor holds back");
      CHECK(scene.socket->post_message("second message"));
    }
    CHECK_FALSE(scene.socket->is_closing());
    scene.socket->write_message("third message");
    CHECK(PeerReader(Role::client, terms).read_until(scene, "third message") ==
          "first message second message third message ");
  }
}

TEST_CASE("a writer may be moved, and is of no use when it is finished", "[message_writer]") {
  Scene scene;
  MessageWriter first = scene.socket->begin_message();
  first.write("a");
  std::optional<MessageWriter> writer(std::move(first));
  CHECK_THROWS_AS(first.write("x"), std::logic_error);
  writer->finish("b");
  CHECK_THROWS_AS(writer->write("x"), std::logic_error);
  CHECK_THROWS_AS(writer->write(std::string("x")), std::logic_error);
  CHECK_THROWS_AS(writer->finish(), std::logic_error);
  scene.socket->write_message("next");
  writer.reset();
  CHECK(PeerReader(Role::client).read_until(scene, "next") == "ab next ");
}

TEST_CASE("a writer outlives its connection", "[message_writer]") {
  Scene scene;
  MessageWriter writer = scene.socket->begin_message();
  writer.write("a");
  scene.socket.reset();
  CHECK_THROWS_AS(writer.write("b"), WebSocketClosedError);
  CHECK_THROWS_AS(writer.finish(), WebSocketClosedError);
  CHECK(to_hex(scene.received_to_end()) ==
        "010161"
        "880203e9");
}

TEST_CASE("pieces of all sizes are compressed as one message", "[message_writer]") {
  for (const Role role : {Role::server, Role::client}) {
    for (const ConnectionTerms& terms : {kCompressed, kNoTakeover}) {
      Scene scene(role, {}, terms);
      std::string expected;
      for (unsigned round = 1; round < 4; ++round) {
        const std::string text = text_of(200'000, round);
        expected += text + " own ";
        MessageWriter writer = scene.socket->begin_message();
        std::string_view left(text);
        for (std::size_t size = 1; !left.empty(); size = size * 3 + 1) {
          writer.write(left.substr(0, size));
          left.remove_prefix(std::min(size, left.size()));
        }
        writer.finish();
        scene.socket->write_message("own");
      }
      scene.socket->write_message("end");
      const bool is_same = PeerReader(scene.peer_role(), terms).read_until(scene, "end") == expected + "end ";
      CHECK(is_same);
    }
  }
}

Task<> send_pieces(WebSocketConnection& socket, int count, const std::string& piece, std::uint64_t& most) {
  MessageWriter writer = socket.begin_message();
  for (int i = 0; i < count; ++i) {
    const std::string_view view = piece;
    if (i % 2 == 0) {
      SendAwaiter sent = writer.write(view);
      most = std::max(most, socket.waiting_bytes());
      co_await std::move(sent);
    } else {
      std::string copy(piece);
      SendAwaiter sent = writer.write(std::move(copy));
      most = std::max(most, socket.waiting_bytes());
      co_await std::move(sent);
    }
  }
  co_await writer.finish("end");
}

TEST_CASE("a message that is larger than the buffers needs the memory of one piece", "[message_writer]") {
  for (const Role role : {Role::server, Role::client}) {
    Scene scene(role);
    constexpr int kCount = 200;
    const std::string piece = text_of(100'000, 1);
    std::string expected;
    for (int i = 0; i < kCount; ++i) expected += piece;
    expected += "end";
    std::uint64_t most = 0;
    TaskGroup tasks(scene.loop);
    tasks.add(send_pieces(*scene.socket, kCount, piece, most));
    const std::string all = PeerReader(scene.peer_role()).read_until(scene, expected);
    const bool is_same = all == expected + ' ';
    CHECK(is_same);
    CHECK(most <= piece.size() + 14);
    CHECK(tasks.empty());
  }
}

TEST_CASE("a task that is destroyed while a piece waits closes the connection with 1011",
          "[message_writer][cancel]") {
  Stuck stuck(with_queue(WhenFull::close));
  TaskGroup tasks(stuck.loop);
  tasks.add([](WebSocketConnection& socket) -> Task<> {
    const Live work;
    MessageWriter writer = socket.begin_message();
    co_await writer.write("piece");
    co_await writer.finish();
  }(*stuck.socket));
  for (int i = 0; i < 3; ++i) stuck.loop.run_turn();
  CHECK(tasks.size() == 1);
  tasks.destroy();
  CHECK(Live::count == 0);
  CHECK(stuck.rest("") == "1011");
}

TEST_CASE("a task that waits for a piece learns of the end of the connection", "[message_writer]") {
  for (const bool destroys : {false, true}) {
    Stuck stuck(with_queue(WhenFull::close));
    bool has_thrown = false;
    TaskGroup tasks(stuck.loop);
    tasks.add([](WebSocketConnection& socket, bool& has_thrown) -> Task<> {
      MessageWriter writer = socket.begin_message();
      try {
        co_await writer.write("piece");
      } catch (const WebSocketClosedError&) {
        has_thrown = true;
      }
    }(*stuck.socket, has_thrown));
    stuck.loop.run_turn();
    if (destroys) {
      stuck.socket.reset();
    } else {
      stuck.peer.reset();
      CHECK(stuck.read() == "end");
    }
    stuck.loop.run_until([&] { return tasks.empty(); });
    CHECK(has_thrown);
  }
}

TEST_CASE("a piece that the stream's buffer has no room for is refused, and may be sent later",
          "[message_writer]") {
  for (const Role role : {Role::server, Role::client}) {
    for (const ConnectionTerms& terms : {ConnectionTerms(), kCompressed}) {
      Scene scene(role, {}, terms, {.max_write_buffer_size = 5000});
      MessageWriter writer = scene.socket->begin_message();
      std::string large(5001, 'x');
      CHECK_THROWS_AS(writer.write(std::string_view(large)), StreamBufferFullError);
      CHECK_THROWS_AS(writer.write(std::move(large)), StreamBufferFullError);
      CHECK(large == std::string(5001, 'x'));
      CHECK_FALSE(scene.socket->is_closing());
      writer.write("piece");
      writer.finish();
      CHECK(PeerReader(scene.peer_role(), terms).read_until(scene, "piece") == "piece ");
    }
  }
}

TEST_CASE("a compressed message whose bytes find no room ends the connection", "[message_writer]") {
  ConnectionTerms stored = kCompressed;
  stored.compression.level = 1;
  Scene scene(Role::server, {}, stored, {.max_write_buffer_size = 5000});
  MessageWriter writer = scene.socket->begin_message(MessageType::binary);
  std::string noise;
  for (std::uint32_t state = 1; noise.size() < 1000; state = state * 1664525 + 1013904223)
    noise += static_cast<char>(state >> 24);
  CHECK_THROWS_AS(
      [&] {
        for (int i = 0; i < 100'000; ++i) writer.write(noise);
      }(),
      StreamBufferFullError);
  CHECK(scene.socket->is_closing());
  CHECK(scene.read() == "end");
}

}  // namespace
}  // namespace squall::websocket::message_writer_test
