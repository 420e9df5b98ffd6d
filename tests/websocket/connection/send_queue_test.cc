// Messages of programs that do not wait for a slow peer.

#include <squall/websocket/connection/send_queue.h>

#include <squall/websocket/codec/message_reader.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "websocket/connection/scene.h"

namespace squall::websocket::send_queue_test {
namespace {

using testing::Scene;
using WhenFull = QueueOptions::WhenFull;

ConnectionOptions with_queue(WhenFull when_full, std::size_t max_messages = 3,
                             std::size_t max_bytes = 1024 * 1024) {
  ConnectionOptions options;
  options.queue.when_full = when_full;
  options.queue.max_messages = max_messages;
  options.queue.max_bytes = max_bytes;
  return options;
}

// A peer that does not read: the kernel's buffers are full, and further messages wait.
struct Stuck : Scene {
  explicit Stuck(const ConnectionOptions& options, ConnectionTerms terms = {})
      : Scene(Role::server, options, terms), reader(reader_options(terms)) {
    socket->write_message(std::string(kFill, 'f'), MessageType::binary);
    for (int i = 0; i < 5; ++i) loop.run_turn();
    REQUIRE(socket->waiting_bytes() > SendQueue::kHighWater);
  }
  static MessageReader::Options reader_options(const ConnectionTerms& terms) {
    MessageReader::Options options;
    options.role = Role::client;
    options.max_message_size = 2 * kFill;
    if (terms.deflate) options.deflate = terms.deflate->send;
    return options;
  }
  // The messages behind the first, up to `last`, or up to a close frame with its code.
  std::string rest(std::string_view last) {
    std::string all;
    loop.run_until([&] {
      std::string bytes;
      peer.drain(bytes);
      std::span<char> unread(bytes);
      for (;;) {
        switch (reader.read(unread)) {
          case MessageReader::Result::more: return false;
          case MessageReader::Result::text:
            all.append(reader.payload()) += ' ';
            if (reader.payload() == last) return true;
            break;
          case MessageReader::Result::pong: all.append("pong:").append(reader.payload()) += ' '; break;
          case MessageReader::Result::close:
            all += std::to_string(reader.close_status().code.value_or(0));
            return true;
          case MessageReader::Result::failed: all += "failed"; return true;
          default: break;
        }
      }
    });
    return all;
  }

  static constexpr std::size_t kFill = 20'000'000;
  MessageReader reader;
};

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
  for (const bool destroys : {false, true}) {
    Stuck stuck(with_queue(WhenFull::close));
    CHECK(stuck.socket->post_message("waits"));
    if (destroys) {
      stuck.socket.reset();
      continue;
    }
    stuck.peer.reset();
    CHECK(stuck.read() == "end");
    CHECK(stuck.socket->waiting_bytes() == 0);
    CHECK_FALSE(stuck.socket->post_message("more"));
  }
}

}  // namespace
}  // namespace squall::websocket::send_queue_test
