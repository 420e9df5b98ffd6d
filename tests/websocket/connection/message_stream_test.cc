#include <squall/websocket/connection/message_stream.h>

#include <squall/ioloop/base/sanitizer.h>
#include <squall/iostream/socket/socket.h>
#include <squall/websocket/codec/deflate.h>
#include <squall/websocket/connection/closed_error.h>
#include <squall/websocket/connection/message_receiver.h>

#include <malloc.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/hex.h"
#include "websocket/connection/crowd.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::message_stream_test {
namespace {

using namespace std::chrono_literals;
using squall::testing::from_hex;
using squall::testing::Live;
using squall::testing::to_hex;
using testing::close_payload;
using testing::Crowd;
using testing::frame;
using testing::Scene;

constexpr bool kCountsMemory = !kAddressSanitizer && !kThreadSanitizer;
std::size_t memory_in_use() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

// The pieces, each followed by a bar, and a blank; `closed` if the connection ends before the message.
Task<std::string> read_pieces(WebSocketConnection& socket) {
  std::optional<MessageStream> message = co_await socket.begin_read();
  if (!message) co_return "end";
  std::string all = message->is_text() ? "text:" : "binary:";
  try {
    for (;;) {
      const std::string_view piece = co_await message->read();
      if (piece.empty()) break;
      all.append(piece) += '|';
    }
  } catch (const WebSocketClosedError&) {
    all += "closed";
  }
  CHECK(message->is_finished() == !all.ends_with("closed"));
  co_return all;
}

std::string fragments(Role peer, std::initializer_list<std::string_view> texts) {
  std::string bytes;
  for (const std::string_view& text : texts) {
    const Opcode opcode = &text == texts.begin() ? Opcode::text : Opcode::continuation;
    bytes += frame(peer, opcode, text, &text == texts.end() - 1);
  }
  return bytes;
}

TEST_CASE("a message is read in pieces, and the next one in the way that is asked for", "[stream]") {
  for (const Role role : {Role::server, Role::client}) {
    CAPTURE(role);
    Scene scene(role);
    const Role peer = scene.peer_role();
    scene.peer.send(fragments(peer, {"one", "", "two"}) + frame(peer, Opcode::text, "whole") +
                    frame(peer, Opcode::binary, "x") + frame(peer, Opcode::text, "") +
                    fragments(peer, {"la", "st"}) + frame(peer, Opcode::close, close_payload(1000)));
    scene.peer.half_close();
    CHECK(scene.loop.run(read_pieces(*scene.socket)) == "text:one|two|");
    CHECK(scene.read() == "text:whole");
    CHECK(scene.loop.run(read_pieces(*scene.socket)) == "binary:x|");
    CHECK(scene.loop.run(read_pieces(*scene.socket)) == "text:");
    CHECK(scene.loop.run(read_pieces(*scene.socket)) == "text:la|st|");
    CHECK(scene.loop.run(read_pieces(*scene.socket)) == "end");
    CHECK(scene.loop.run(read_pieces(*scene.socket)) == "end");
    CHECK(scene.socket->close_code() == 1000);
  }
}

// Reads pieces into `all` until it is destroyed.
Task<> read_for_ever(WebSocketConnection& socket, std::string& all) {
  const Live work;
  std::optional<MessageStream> message = co_await socket.begin_read();
  all += "begin ";
  while (message) {
    const std::string_view piece = co_await message->read();
    if (piece.empty()) break;
    all.append(piece) += ' ';
  }
  all += "end";
}

TEST_CASE("a piece arrives as soon as its bytes do, and pings between the pieces are answered (WSK-45)",
          "[stream]") {
  Scene scene;
  std::string all;
  TaskGroup tasks(scene.loop);
  tasks.add(read_for_ever(*scene.socket, all));
  scene.peer.send(frame(Role::client, Opcode::text, "one", false));
  scene.loop.run_until([&] { return all == "begin one "; });
  scene.send(Opcode::ping, "p");
  CHECK(to_hex(scene.received(3)) == "8a0170");
  const std::string two = frame(Role::client, Opcode::continuation, "two");
  scene.peer.send(two.substr(0, two.size() - 2));
  scene.loop.run_until([&] { return all == "begin one t "; });
  scene.peer.send(two.substr(two.size() - 2));
  scene.loop.run_until([&] { return all == "begin one t wo end"; });
}

TEST_CASE("until a message has ended there is no other read", "[stream]") {
  Scene scene;
  scene.peer.send(frame(Role::client, Opcode::text, "one", false));
  scene.loop.run([](Scene& scene) -> Task<> {
    testing::Last receiver;
    std::optional<MessageStream> message = co_await scene.socket->begin_read();
    REQUIRE(message.has_value());
    CHECK_THROWS_AS(scene.socket->set_receiver(receiver), std::logic_error);
    CHECK_THROWS_AS(scene.socket->read_message().await_ready(), std::logic_error);
    CHECK_THROWS_AS(scene.socket->begin_read().await_ready(), std::logic_error);
    const std::string_view piece = co_await message->read();
    CHECK(piece == "one");
    CHECK_THROWS_AS(scene.socket->read_any().await_ready(), std::logic_error);
    scene.peer.send(frame(Role::client, Opcode::continuation, "two") +
                    frame(Role::client, Opcode::text, "x"));
    const std::string_view last = co_await message->read();
    CHECK(last == "two");
    // The program has not seen the end yet.
    CHECK_THROWS_AS(scene.socket->read_message().await_ready(), std::logic_error);
    const std::string_view end = co_await message->read();
    CHECK(end.empty());
    CHECK(message->is_finished());
    const std::optional<Message> next = co_await scene.socket->read_message();
    CHECK(testing::describe(next) == "text:x");
    const std::string_view again = co_await message->read();
    CHECK(again.empty());
  }(scene));
}

TEST_CASE("a stream that is destroyed early leaves its message, whose rest is dropped", "[stream]") {
  for (const bool is_read : {false, true}) {
    for (const bool is_whole : {false, true}) {
      CAPTURE(is_read, is_whole);
      Scene scene;
      scene.peer.send(is_whole ? frame(Role::client, Opcode::text, "one")
                               : fragments(Role::client, {"one", "two", "three"}));
      scene.send(Opcode::text, "next");
      scene.loop.run([](WebSocketConnection& socket, bool is_read) -> Task<> {
        std::optional<MessageStream> message = co_await socket.begin_read();
        REQUIRE(message.has_value());
        MessageStream moved = std::move(*message);
        CHECK(message->is_finished());
        if (!is_read) co_return;
        const std::string_view piece = co_await moved.read();
        CHECK(piece == "one");
      }(*scene.socket, is_read));
      CHECK(scene.read() == "text:next");
    }
  }
}

TEST_CASE("a connection that ends within a message: the piece throws WebSocketClosedError", "[stream]") {
  enum class End { close_frame, end_of_stream, reset, drop, fault, invalid_text };
  for (const End end :
       {End::close_frame, End::end_of_stream, End::reset, End::drop, End::fault, End::invalid_text}) {
    CAPTURE(end);
    Scene scene;
    std::string all;
    TaskGroup tasks(scene.loop);
    tasks.add([](WebSocketConnection& socket, std::string& all) -> Task<> {
      all = co_await read_pieces(socket);
    }(*scene.socket, all));
    scene.peer.send(frame(Role::client, Opcode::text, "one", false));
    scene.loop.run_turn();
    switch (end) {
      case End::close_frame: scene.send(Opcode::close, close_payload(4000)); break;
      case End::end_of_stream: scene.peer.half_close(); break;
      case End::reset: scene.peer.reset(); break;
      case End::drop: scene.socket->drop(); break;
      case End::fault: scene.send(Opcode::text, "nested"); break;
      case End::invalid_text: scene.send(Opcode::continuation, "\xff"); break;
    }
    if (end == End::fault || end == End::invalid_text) {
      const int code = end == End::fault ? 1002 : 1007;
      CHECK(scene.received(4).substr(2) == close_payload(static_cast<std::uint16_t>(code)));
      scene.peer.half_close();
    }
    scene.loop.run_until([&] { return !all.empty(); });
    CHECK(all == "text:one|closed");
    CHECK(scene.read() == "end");
    CHECK(scene.socket->close_code() == (end == End::close_frame ? std::optional<int>(4000) : std::nullopt));
  }
}

TEST_CASE("behind close() the pieces still arrive (WSK-57)", "[stream]") {
  Scene scene;
  scene.peer.send(frame(Role::client, Opcode::text, "one", false));
  scene.socket->close(1000);
  scene.peer.send(frame(Role::client, Opcode::continuation, "two"));
  CHECK(scene.loop.run(read_pieces(*scene.socket)) == "text:one|two|");
  scene.send(Opcode::close, close_payload(1000));
  CHECK(scene.loop.run(read_pieces(*scene.socket)) == "end");
}

TEST_CASE("a read that is destroyed at any await, behind every byte, loses no byte", "[stream][cancel]") {
  const ConnectionTerms terms{.subprotocol = {}, .deflate = DeflateTerms{}, .compression = {}};
  const std::string bytes = fragments(Role::client, {"on", "", "e"}) +
                            frame(Role::client, Opcode::ping, "p") +
                            frame(Role::client, Opcode::text, from_hex("f248cdc9c90700"), true, true);
  Scene scene(Role::server, {}, terms);
  const int fd = scene.socket->stream().fd();
  std::optional<MessageStream> message;
  std::string all;
  // Takes one step, or is destroyed where it waits for it.
  const auto step = [](WebSocketConnection& socket, std::optional<MessageStream>& message,
                       std::string& all) -> Task<> {
    const Live work;
    for (;;) {
      if (!message) {
        std::optional<MessageStream> begun = co_await socket.begin_read();
        REQUIRE(begun.has_value());
        message.emplace(*std::move(begun));
      }
      const std::string_view piece = co_await message->read();
      all += piece;
      if (!piece.empty()) continue;
      message.reset();
      all += ' ';
    }
  };
  for (const char byte : bytes) {
    scene.peer.send({&byte, 1});
    pollfd arrived{.fd = fd, .events = POLLIN, .revents = 0};
    REQUIRE(::poll(&arrived, 1, 5000) == 1);
    TaskGroup tasks(scene.loop);
    tasks.add(step(*scene.socket, message, all));
    scene.loop.run_until([fd] { return arrived_bytes(fd) == 0; });
    CHECK(tasks.size() == 1);
    tasks.destroy();
    CHECK(Live::count == 0);
  }
  CHECK(all == "one Hello ");
}

TEST_CASE("reads of pieces may be moved until they are awaited, and given a deadline", "[stream][cancel]") {
  Scene scene;
  scene.peer.send(frame(Role::client, Opcode::text, "one", false));
  scene.loop.run([](Scene& scene) -> Task<> {
    std::optional<MessageStream> message = co_await with_timeout(1s, scene.socket->begin_read());
    REQUIRE(message.has_value());
    PieceAwaiter made = message->read();
    const std::string_view piece = co_await with_timeout(1s, std::move(made));
    CHECK(piece == "one");
    bool is_late = false;
    try {
      co_await with_timeout(0s, message->read());
    } catch (const TimeoutError&) {
      is_late = true;
    }
    CHECK(is_late);
    scene.peer.send(frame(Role::client, Opcode::continuation, "two"));
    const std::string_view last = co_await message->read();
    CHECK(last == "two");
  }(scene));
}

TEST_CASE("a stream may outlive its connection", "[stream]") {
  for (const bool is_read : {false, true}) {
    Scene scene;
    scene.peer.send(frame(Role::client, Opcode::text, "one", false));
    std::optional<MessageStream> message;
    scene.loop.run([](Scene& scene, std::optional<MessageStream>& message, bool is_read) -> Task<> {
      std::optional<MessageStream> begun = co_await scene.socket->begin_read();
      message.emplace(*std::move(begun));
      if (is_read) static_cast<void>(co_await message->read());
    }(scene, message, is_read));
    scene.socket.reset();
    CHECK_FALSE(message->is_finished());
    CHECK_THROWS_AS(message->read().await_ready(), WebSocketClosedError);
  }
}

TEST_CASE("a read that is made throws when it is awaited behind the end of its connection or a move",
          "[stream]") {
  for (const bool is_read : {false, true}) {
    CAPTURE(is_read);
    Scene scene;
    scene.peer.send(frame(Role::client, Opcode::text, "one", false));
    std::optional<MessageStream> message;
    scene.loop.run([](Scene& scene, std::optional<MessageStream>& message, bool is_read) -> Task<> {
      std::optional<MessageStream> begun = co_await scene.socket->begin_read();
      message.emplace(*std::move(begun));
      if (is_read) static_cast<void>(co_await message->read());
    }(scene, message, is_read));
    PieceAwaiter of_moved = message->read();
    MessageStream moved = *std::move(message);
    CHECK_THROWS_AS(of_moved.await_ready(), std::logic_error);
    PieceAwaiter made = moved.read();
    scene.socket.reset();
    CHECK_THROWS_AS(made.await_ready(), WebSocketClosedError);
    CHECK_FALSE(moved.is_finished());
  }
}

TEST_CASE("behind abort() the piece at hand is not given: the connection may have read on", "[stream]") {
  Scene scene;
  scene.peer.send(frame(Role::client, Opcode::text, "one", false));
  scene.loop.run([](Scene& scene) -> Task<> {
    std::optional<MessageStream> message = co_await scene.socket->begin_read();
    REQUIRE(message.has_value());
    scene.socket->abort(1009);
    for (const bool has_ended : {false, true}) {
      CAPTURE(has_ended);
      PieceAwaiter read = message->read();
      CHECK(read.await_ready());
      CHECK_THROWS_AS(read.await_resume(), WebSocketClosedError);
      if (has_ended) continue;
      scene.send(Opcode::continuation, std::string(1000, 'x'));
      scene.peer.half_close();
      const std::optional<Message> next = co_await scene.socket->read_message();
      CHECK_FALSE(next.has_value());
    }
    CHECK_FALSE(message->is_finished());
  }(scene));
}

TEST_CASE("behind a text that ends within a character a receiver gets the end", "[stream]") {
  Scene scene;
  TaskGroup tasks(scene.loop);
  std::string all;
  tasks.add(read_for_ever(*scene.socket, all));
  scene.send(Opcode::text, "x\xc3");
  CHECK(scene.received(4).substr(2) == close_payload(1007));
  scene.peer.half_close();
  scene.loop.run_until([&] { return scene.socket->is_closed() && all == "begin end"; });
  testing::Last receiver;
  scene.socket->set_receiver(receiver);
  scene.loop.run_until([&] { return receiver.last == "closed"; });
}

TEST_CASE("a read in pieces waits across a rest, and a message in pieces keeps the connection active",
          "[stream][context]") {
  Crowd scene;
  std::string all;
  TaskGroup tasks(scene.loop);
  tasks.add(read_for_ever(*scene.socket, all));
  scene.wait_for_rest();
  scene.peer.send(frame(Role::client, Opcode::text, "one", false));
  scene.loop.run_until([&] { return all == "begin one "; });
  for (int turn = 0; turn < 3; ++turn) {
    scene.clock.advance(2 * ConnectionContext::kPause);
    scene.loop.run_turn();
  }
  CHECK(scene.socket->rests() == 1);
  scene.peer.send(frame(Role::client, Opcode::continuation, "two"));
  scene.loop.run_until([&] { return all == "begin one two end"; });
  tasks.add(scene.socket->wait_closed());
  scene.wait_for_rest(2);
}

// Reads a message, counts its bytes, and remembers the largest piece.
struct Sum {
  std::uint64_t bytes = 0;
  std::uint64_t pieces = 0;
  std::size_t largest = 0;
  bool has_ended = false;
};
Task<> sum_up(WebSocketConnection& socket, Sum& sum) {
  std::optional<MessageStream> message = co_await socket.begin_read();
  REQUIRE(message.has_value());
  try {
    for (;;) {
      const std::string_view piece = co_await message->read();
      if (piece.empty()) break;
      sum.bytes += piece.size();
      ++sum.pieces;
      sum.largest = std::max(sum.largest, piece.size());
    }
  } catch (const WebSocketClosedError&) {
    // The test looks at the connection.
  }
  sum.has_ended = true;
}

// Sends `unit` `count` times while the connection reads, and returns the most memory in use meanwhile.
std::size_t send_often(Scene& scene, std::string_view unit, std::size_t count) {
  const std::size_t before = memory_in_use();
  std::size_t most = before;
  std::string batch;
  const std::size_t in_batch = std::max<std::size_t>(1, 60'000 / unit.size());
  for (std::size_t i = 0; i < in_batch; ++i) batch += unit;
  while (count > 0) {
    const std::size_t units = std::min(count, in_batch);
    std::string_view left = std::string_view(batch).substr(0, units * unit.size());
    while (!left.empty()) {
      left.remove_prefix(scene.peer.send_some(left));
      scene.loop.run_turn();
      most = std::max(most, memory_in_use());
    }
    count -= units;
  }
  return most - before;
}

TEST_CASE("a message of any size, in one frame or in many, takes the memory of some buffers",
          "[stream][hostile]") {
  constexpr std::size_t kPiece = 50'000;
  constexpr std::size_t kPieces = 600;
  for (const bool is_one_frame : {true, false}) {
    CAPTURE(is_one_frame);
    Scene scene;
    Sum sum;
    TaskGroup tasks(scene.loop);
    tasks.add(sum_up(*scene.socket, sum));
    std::size_t most = 0;
    if (is_one_frame) {
      FrameHead head;
      head.opcode = Opcode::binary;
      head.size = kPiece * kPieces;
      head.key = MaskKey{};
      scene.peer.send(EncodedHead(head).bytes());
      most = send_often(scene, std::string(kPiece, 'x'), kPieces);
    } else {
      scene.peer.send(frame(Role::client, Opcode::binary, "", false));
      most = send_often(scene, frame(Role::client, Opcode::continuation, std::string(kPiece, 'x'), false),
                        kPieces);
      scene.send(Opcode::continuation, "");
    }
    scene.loop.run_until([&] { return sum.has_ended; });
    CHECK(sum.bytes == kPiece * kPieces);  // 30 MB; max_message_size is 10 MiB
    CHECK(sum.largest <= 64 * 1024);
    if (kCountsMemory) CHECK(most < 300'000);
  }
}

TEST_CASE("a frame that announces 2^40 bytes takes no memory for them", "[stream][hostile]") {
  ConnectionOptions options;
  options.pieces.max_size = std::nullopt;
  Scene scene(Role::server, options);
  Sum sum;
  TaskGroup tasks(scene.loop);
  tasks.add(sum_up(*scene.socket, sum));
  scene.peer.send(from_hex("82ff000001000000000000000000"));
  const std::size_t most = send_often(scene, std::string(1000, 'x'), 100);
  scene.loop.run_until([&] { return sum.bytes == 100'000; });
  if (kCountsMemory) CHECK(most < 300'000);
  scene.peer.half_close();
  scene.loop.run_until([&] { return sum.has_ended; });
  CHECK(scene.socket->is_closed());
}

TEST_CASE("a million fragments of one byte, and a million empty ones, take bounded memory",
          "[stream][hostile]") {
  constexpr std::size_t kFragments = kCountsMemory ? 1'000'000 : 100'000;  // sanitizers are slow
  for (const std::string_view payload : {"x", ""}) {
    CAPTURE(payload);
    Scene scene;
    Sum sum;
    TaskGroup tasks(scene.loop);
    tasks.add(sum_up(*scene.socket, sum));
    scene.peer.send(frame(Role::client, Opcode::text, "begin", false));
    const std::size_t most =
        send_often(scene, frame(Role::client, Opcode::continuation, payload, false), kFragments);
    scene.send(Opcode::continuation, "");
    scene.loop.run_until([&] { return sum.has_ended; });
    CHECK(sum.bytes == 5 + payload.size() * kFragments);
    if (kCountsMemory) CHECK(most < 300'000);
  }
}

TEST_CASE("a program that does not read stops its peer in the middle of a message", "[stream]") {
  Scene scene;
  scene.peer.send(from_hex("82ff000000001000000000000000") + std::string(100, 'x'));
  std::optional<MessageStream> message;
  const std::size_t before = memory_in_use();
  scene.loop.run([](WebSocketConnection& socket, std::optional<MessageStream>& message) -> Task<> {
    std::optional<MessageStream> begun = co_await socket.begin_read();
    message.emplace(*std::move(begun));
  }(*scene.socket, message));
  const std::string bytes(1'000'000, 'x');
  // The buffers of the kernel fill, and then nothing is taken.
  for (int turn = 0; turn < 20; ++turn) {
    std::size_t taken = 0;
    while (const std::size_t some = scene.peer.send_some(bytes)) taken += some;
    if (turn >= 10) CHECK(taken == 0);
    scene.loop.run_turn();
  }
  if (kCountsMemory) CHECK(memory_in_use() - before < 2'300'000);
  message.reset();
}

TEST_CASE("a deflate bomb is read in pieces up to its limit, with the memory of a piece (SEC-61)",
          "[stream][hostile]") {
  std::string bomb;
  MessageCompressor(DeflateWindow(), DeflateOptions())
      .compress(std::string(4'000'000, 'x'), Part::last, bomb);
  const ConnectionTerms terms{.subprotocol = {}, .deflate = DeflateTerms{}, .compression = {}};
  for (const bool is_limited : {true, false}) {
    CAPTURE(is_limited);
    ConnectionOptions options;
    if (!is_limited) options.pieces.max_ratio = std::nullopt;
    Scene scene(Role::server, options, terms);
    Sum sum;
    TaskGroup tasks(scene.loop);
    tasks.add(sum_up(*scene.socket, sum));
    const std::size_t most = send_often(scene, frame(Role::client, Opcode::binary, bomb, true, true), 1);
    if (is_limited) {
      CHECK(to_hex(scene.received(4)).ends_with("03f1"));
      CHECK(sum.bytes <= 200 * bomb.size() + PieceLimits::kFreeOutput);
      scene.peer.half_close();
    }
    scene.loop.run_until([&] { return sum.has_ended; });
    if (!is_limited) CHECK(sum.bytes == 4'000'000);
    CHECK(sum.largest <= 16 * 1024);
    if (kCountsMemory) CHECK(most < 400'000);
  }
}

TEST_CASE("a peer with many pieces lets the loop serve others", "[stream]") {
  const ConnectionTerms terms{.subprotocol = {}, .deflate = DeflateTerms{}, .compression = {}};
  std::string deflated;
  MessageCompressor(DeflateWindow(), DeflateOptions())
      .compress(std::string(3'000'000, 'x'), Part::last, deflated);
  ConnectionOptions options;
  options.pieces.max_ratio = std::nullopt;
  Scene scene(Role::server, options, terms);
  Sum sum;
  TaskGroup tasks(scene.loop);
  tasks.add(sum_up(*scene.socket, sum));
  scene.peer.send(frame(Role::client, Opcode::binary, deflated, true, true));
  std::uint64_t most = 0;
  for (std::uint64_t before = 0; !sum.has_ended; before = sum.pieces) {
    scene.loop.run_turn();
    most = std::max(most, sum.pieces - before);
  }
  CHECK(sum.bytes == 3'000'000);
  CHECK(most <= 64);
}

// Leaves a message, and reads the next one, or has it read by `receiver`.
Task<> leave_one(WebSocketConnection& socket, MessageReceiver* receiver, std::string& all) {
  std::optional<MessageStream> message = co_await socket.begin_read();
  message.reset();
  all = "left";
  if (receiver) {
    socket.set_receiver(*receiver);
  } else {
    all = co_await testing::read_one(socket);
  }
}

TEST_CASE("the rest of a message that was left is dropped in turns, so that the loop serves others",
          "[stream][hostile]") {
  std::string deflated;
  MessageCompressor(DeflateWindow(), DeflateOptions())
      .compress(std::string(3'000'000, 'x'), Part::last, deflated);
  const std::string bytes =
      frame(Role::client, Opcode::binary, deflated, true, true) + frame(Role::client, Opcode::text, "next");
  ConnectionOptions options;
  options.pieces.max_ratio = std::nullopt;
  enum class Next { read, receiver, withdrawn };
  for (const Next next : {Next::read, Next::receiver, Next::withdrawn}) {
    for (const bool has_takeover : {true, false}) {
      CAPTURE(next, has_takeover);
      ConnectionTerms terms{.subprotocol = {}, .deflate = DeflateTerms{}, .compression = {}};
      terms.deflate->receive.context_takeover = has_takeover;
      Scene scene(Role::server, options, terms);
      testing::Last receiver;
      std::string all;
      TaskGroup tasks(scene.loop);
      tasks.add(leave_one(*scene.socket, next == Next::receiver ? &receiver : nullptr, all));
      scene.peer.send(bytes);
      int turns = 0;
      for (; turns < 1000 && all != "text:next" && receiver.last != "text:next"; ++turns) {
        scene.loop.run_turn();
        if (next != Next::withdrawn || turns < 3) continue;
        tasks.destroy();
        if (all == "left") all = scene.read();
      }
      CHECK((all == "text:next" || receiver.last == "text:next"));
      // 32 pieces in a turn; without context takeover none is made.
      if (next != Next::withdrawn) CHECK((turns > 5) == has_takeover);
    }
  }
}

}  // namespace
}  // namespace squall::websocket::message_stream_test
