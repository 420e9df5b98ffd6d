// Messages of programs that do not wait for a slow peer.

#include <squall/websocket/connection/send_queue.h>

#include <squall/websocket/connection/websocket_connection.h>

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "websocket/connection/peer_reader.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::send_queue_test {
namespace {

using testing::PeerReader;
using testing::Scene;
using testing::Stuck;
using testing::with_queue;
using WhenFull = QueueOptions::WhenFull;

// The results of posting `0` to `4`.
std::string post_five(WebSocketConnection& socket) {
  std::string results;
  for (int i = 0; i < 5; ++i) results += socket.post_message(std::to_string(i)) ? 'y' : 'n';
  return results;
}

TEST_CASE("messages to a peer that reads are sent at once, as many as there are", "[send_queue]") {
  Scene scene(Role::server, with_queue(WhenFull::drop_newest, 0));
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const std::string message(1000, static_cast<char>('a' + i % 26));
    CHECK(scene.socket->post_message(message));
    expected += testing::frame(Role::server, Opcode::text, message);
  }
  const bool is_same = scene.received(expected.size()) == expected;
  CHECK(is_same);
  CHECK(scene.socket->dropped_messages() == 0);
}

TEST_CASE("drop_oldest: a further message takes the place of the one that has waited longest",
          "[send_queue]") {
  Stuck stuck(with_queue(WhenFull::drop_oldest));
  CHECK(post_five(*stuck.socket) == "yyyyy");
  CHECK(stuck.socket->dropped_messages() == 2);
  CHECK(stuck.rest("4") == "2 3 4 ");
}

TEST_CASE("drop_newest: a further message is dropped", "[send_queue]") {
  Stuck stuck(with_queue(WhenFull::drop_newest));
  CHECK(post_five(*stuck.socket) == "yyynn");
  CHECK(stuck.socket->dropped_messages() == 2);
  CHECK(stuck.rest("2") == "0 1 2 ");
}

TEST_CASE("keep_latest: a further message takes the place of all that wait", "[send_queue]") {
  Stuck stuck(with_queue(WhenFull::keep_latest));
  CHECK(post_five(*stuck.socket) == "yyyyy");
  CHECK(stuck.socket->dropped_messages() == 4);
  CHECK(stuck.rest("4") == "4 ");
}

TEST_CASE("close: a further message closes the connection with 1013", "[send_queue]") {
  Stuck stuck(with_queue(WhenFull::close));
  CHECK(post_five(*stuck.socket) == "yyynn");
  CHECK(stuck.socket->dropped_messages() == 4);
  CHECK(stuck.socket->is_closing());
  CHECK(stuck.rest("") == "1013");
}

TEST_CASE("the bytes of the queue are bounded: 64 for each message, and its payload", "[send_queue]") {
  Stuck stuck(with_queue(WhenFull::drop_oldest, 1'000'000, 1000));
  const std::uint64_t before = stuck.socket->waiting_bytes();
  for (int i = 0; i < 1000; ++i) {
    CHECK(stuck.socket->post_message(fmt::format("{:0136}", i)));
    CHECK(stuck.socket->waiting_bytes() <= before + 1000);
  }
  CHECK(stuck.socket->dropped_messages() == 995);
  CHECK_FALSE(stuck.socket->post_message(std::string(937, 'x')));  // it never fits, and displaces nothing
  CHECK(stuck.socket->dropped_messages() == 996);
  const std::string rest = stuck.rest(fmt::format("{:0136}", 999));
  CHECK(rest.substr(0, 137) == fmt::format("{:0136} ", 995));
}

TEST_CASE("the queue is sent in order, with pauses of the peer, and messages that are awaited go behind it",
          "[send_queue]") {
  Stuck stuck(with_queue(WhenFull::close, 1'000'000, 100'000'000));
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    const std::string message = fmt::format("{:0500}", i);
    CHECK(stuck.socket->post_message(message));
    expected += message + ' ';
  }
  stuck.socket->write_message("awaited");
  CHECK(stuck.socket->post_message("posted"));
  const bool is_in_order = stuck.rest("posted") == expected + "awaited posted ";
  CHECK(is_in_order);
}

TEST_CASE("close() sends the messages that wait before its frame", "[send_queue]") {
  Stuck stuck(with_queue(WhenFull::close, 10));
  CHECK(stuck.socket->post_message("one"));
  CHECK(stuck.socket->post_message("two"));
  stuck.socket->close(1000);
  CHECK(stuck.rest("") == "one two 1000");
}

TEST_CASE("messages that were dropped do not harm the compression of the others", "[send_queue]") {
  Stuck stuck(with_queue(WhenFull::drop_oldest),
              ConnectionTerms{.subprotocol = {}, .deflate = DeflateTerms{}, .compression = {.level = 0}});
  CHECK(post_five(*stuck.socket) == "yyyyy");
  CHECK(stuck.rest("4") == "2 3 4 ");
}

TEST_CASE("a peer that sends pings and does not read gets only the last pong", "[send_queue]") {
  Stuck stuck(with_queue(WhenFull::close));
  std::string pings;
  for (int i = 0; i < 3000; ++i) pings += testing::frame(Role::client, Opcode::ping, std::to_string(i));
  stuck.peer.send(pings);
  stuck.send(Opcode::text, "t");
  const std::uint64_t before = stuck.socket->waiting_bytes();
  CHECK(stuck.read() == "text:t");
  CHECK(stuck.socket->waiting_bytes() <= before);
  stuck.socket->post_message("end");
  CHECK(stuck.rest("end") == "pong:2999 end ");
}

TEST_CASE("a pong that waits does not follow the close frame", "[send_queue]") {
  Stuck stuck(with_queue(WhenFull::close));
  stuck.send(Opcode::ping, "p");
  stuck.send(Opcode::text, "t");
  CHECK(stuck.read() == "text:t");
  stuck.socket->close(close_code::kNormal);
  std::string all;
  stuck.loop.run_until([&] {
    stuck.peer.drain(all);
    return stuck.socket->waiting_bytes() == 0;
  });
  for (int i = 0; i < 5; ++i) stuck.loop.run_turn();
  stuck.loop.run_until([&] {
    stuck.peer.drain(all);
    return all.find("\x88\x02\x03\xe8") != all.npos;
  });
  CHECK(all.ends_with("\x88\x02\x03\xe8"));
}

TEST_CASE("the end of the connection drops the messages that wait", "[send_queue]") {
  Stuck stuck(with_queue(WhenFull::close));
  CHECK(stuck.socket->post_message("waits"));
  stuck.peer.reset();
  CHECK(stuck.read() == "end");
  CHECK(stuck.socket->waiting_bytes() == 0);
  CHECK_FALSE(stuck.socket->post_message("more"));
}

TEST_CASE("a connection that is destroyed while its queue waits frees the messages, and sends no more",
          "[send_queue][cancel]") {
  Stuck stuck(with_queue(WhenFull::close));
  std::optional<PreparedMessage> message(std::string(5000, 'w'));
  const std::weak_ptr<const std::string> frame = message->frame().bytes;
  CHECK(stuck.socket->post_message(*message));
  message.reset();
  stuck.loop.run_turn();
  CHECK_FALSE(frame.expired());
  CHECK(stuck.socket->waiting_bytes() > Stuck::kFill / 10);
  stuck.socket.reset();
  CHECK(frame.expired());
  const std::string bytes = stuck.received_to_end();
  CHECK(bytes.size() < Stuck::kFill);
  CHECK(bytes.find('w') == bytes.npos);
}

// A peer that does not read, and a stream whose buffer is smaller than the messages that may wait there.
struct SmallBuffer : Scene {
  explicit SmallBuffer(WhenFull when_full, ConnectionTerms terms = {})
      : Scene(Role::server, with_queue(when_full, 3), terms, {.max_write_buffer_size = kBuffer}),
        reader(Role::client, terms) {}
  // The results of posting numbered messages until the queue drops some.
  std::string post_until_dropped() {
    std::string results;
    while (socket->dropped_messages() == 0) {
      results += socket->post_message(fmt::format("{:01000}", results.size())) ? 'y' : 'n';
      loop.run_turn();
    }
    return results;
  }

  static constexpr std::size_t kBuffer = 10'000;
  PeerReader reader;
};

TEST_CASE("a message that finds no room in the stream's buffer waits in the queue", "[send_queue]") {
  SmallBuffer scene(WhenFull::drop_newest);
  const std::string results = scene.post_until_dropped();
  CHECK(results == std::string(results.size() - 1, 'y') + 'n');
  CHECK(scene.socket->waiting_bytes() <= SmallBuffer::kBuffer + 3 * 1064);
  std::string expected;
  for (std::size_t i = 0; i + 1 < results.size(); ++i) expected += fmt::format("{:01000} ", i);
  const bool is_same =
      scene.reader.read_until(scene, fmt::format("{:01000}", results.size() - 2)) == expected;
  CHECK(is_same);
}

TEST_CASE("without room in the stream's buffer messages are dropped by the queue's policy", "[send_queue]") {
  for (const WhenFull when_full : {WhenFull::drop_oldest, WhenFull::keep_latest, WhenFull::close}) {
    SmallBuffer scene(when_full);
    const std::string results = scene.post_until_dropped();
    const bool closes = when_full == WhenFull::close;
    CHECK(results == std::string(results.size() - 1, 'y') + (closes ? 'n' : 'y'));
    CHECK(scene.socket->is_closing() == closes);
    const std::string last = fmt::format("{:01000} ", results.size() - 1);
    CHECK(scene.reader.read_until(scene, last.substr(0, 1000)).ends_with(closes ? "1013" : last));
  }
}

TEST_CASE("a message that is larger than the stream's buffer is dropped at once", "[send_queue]") {
  for (const bool is_shared : {false, true}) {
    for (const bool compresses : {false, true}) {
      ConnectionTerms terms;
      if (compresses) terms.deflate = DeflateTerms();
      const std::string large(SmallBuffer::kBuffer + 1, 'x');
      const auto post = [&](WebSocketConnection& socket) {
        return is_shared ? socket.post_message(PreparedMessage(large)) : socket.post_message(large);
      };
      SmallBuffer dropping(WhenFull::drop_oldest, terms);
      CHECK_FALSE(post(*dropping.socket));
      CHECK(dropping.socket->dropped_messages() == 1);
      CHECK(dropping.socket->post_message("next"));
      CHECK(dropping.reader.read_until(dropping, "next") == "next ");
      SmallBuffer closing(WhenFull::close, terms);
      CHECK_FALSE(post(*closing.socket));
      CHECK(closing.reader.read_until(closing, "") == "1013");
    }
  }
}

}  // namespace
}  // namespace squall::websocket::send_queue_test
