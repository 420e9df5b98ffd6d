// Every way in which a connection ends: its reader learns of exactly one end, and its peer of at most one
// close frame, behind which nothing follows.

#include <squall/websocket/codec/message_reader.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/hex.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::close_paths_test {
namespace {

using namespace std::chrono_literals;
using squall::testing::from_hex;
using testing::close_payload;
using testing::frame;
using testing::Scene;

constexpr std::size_t kMoreThanTheKernelTakes = 8'000'000;

struct Path {
  std::string_view name;
  std::function<void(Scene&)> act;
  // The close frame that the peer gets: `1000`, `empty`, `none`, or `gone` if the peer cannot receive any.
  std::string_view sent;
  std::string_view received;  // close_code(), or `none`
  ConnectionOptions options = {};
};

void send_message_that_waits(Scene& scene) {
  scene.socket->write_message(std::string(kMoreThanTheKernelTakes, 'x'), MessageType::binary);
  scene.loop.run_turn();
  REQUIRE(scene.socket->waiting_bytes() > 0);
}

// The paths that both roles have. `peer` is the role of the peer.
std::vector<Path> paths_of(Role peer) {
  const auto bytes = [peer](Opcode opcode, std::string_view payload, bool fin = true) {
    return frame(peer, opcode, payload, fin);
  };
  const std::string bad_text = bytes(Opcode::text, "\xff");
  const std::string close_1001 = bytes(Opcode::close, close_payload(1001, "going"));
  QueueOptions small_queue;
  small_queue.max_messages = 2;
  return {
      {"the peer closes", [=](Scene& s) { s.peer.send(close_1001); }, "1001", "1001"},
      {"the peer closes twice", [=](Scene& s) { s.peer.send(close_1001 + close_1001); }, "1001", "1001"},
      {"the peer closes without a code", [=](Scene& s) { s.peer.send(bytes(Opcode::close, "")); }, "empty",
       "none"},
      {"the peer closes and resets",
       [=](Scene& s) {
         s.peer.send(close_1001);
         s.loop.run_turn();
         s.peer.reset();
       },
       "gone", "1001"},
      {"the peer closes with a code that must not be sent",
       [=](Scene& s) { s.peer.send(bytes(Opcode::close, from_hex("03ed"))); }, "1002", "none"},
      {"the peer closes within a message",
       [=](Scene& s) { s.peer.send(bytes(Opcode::text, "begun", false) + close_1001); }, "1001", "1001"},
      {"the end of the stream", [](Scene& s) { s.peer.half_close(); }, "none", "none"},
      {"the end of the stream within a frame",
       [=](Scene& s) {
         s.peer.send(close_1001.substr(0, 3));
         s.peer.half_close();
       },
       "none", "none"},
      {"the end of the stream within a message",
       [=](Scene& s) {
         s.peer.send(bytes(Opcode::text, "begun", false));
         s.peer.half_close();
       },
       "none", "none"},
      {"a reset", [](Scene& s) { s.peer.reset(); }, "gone", "none"},
      {"a fault", [=](Scene& s) { s.peer.send(bad_text); }, "1007", "none"},
      {"a fault, and then a close frame", [=](Scene& s) { s.peer.send(bad_text + close_1001); }, "1007",
       "none"},
      {"a fault, and then the end of the stream",
       [=](Scene& s) {
         s.peer.send(bad_text);
         s.peer.half_close();
       },
       "1007", "none"},
      {"a fault, and then a reset",
       [=](Scene& s) {
         s.peer.send(bad_text);
         s.loop.run_turn();
         s.peer.reset();
       },
       "gone", "none"},
      {"a message that is too big",
       [=](Scene& s) { s.peer.send(bytes(Opcode::text, std::string(200, 'x'))); },
       "1009",
       "none",
       {.max_message_size = 100}},
      {"close(), and the peer answers",
       [=](Scene& s) {
         s.socket->close(4000, "done");
         s.peer.send(bytes(Opcode::close, close_payload(4000)));
       },
       "4000", "4000"},
      {"close() three times, and the peer answers",
       [=](Scene& s) {
         for (const int code : {4000, 4001, 4002}) s.socket->close(static_cast<std::uint16_t>(code));
         s.peer.send(bytes(Opcode::close, close_payload(4000)));
       },
       "4000", "4000"},
      {"close(), and the peer never answers", [](Scene& s) { s.socket->close(4000); }, "4000", "none"},
      {"close(), and the end of the stream",
       [](Scene& s) {
         s.socket->close(4000);
         s.peer.half_close();
       },
       "4000", "none"},
      {"close(), and a reset",
       [](Scene& s) {
         s.socket->close(4000);
         s.loop.run_turn();
         s.peer.reset();
       },
       "gone", "none"},
      {"close(), and a fault",
       [=](Scene& s) {
         s.socket->close(4000);
         s.peer.send(bad_text);
       },
       "4000", "none"},
      {"both sides close at the same time",
       [=](Scene& s) {
         s.peer.send(close_1001);
         s.socket->close(4000);
       },
       "4000", "1001"},
      {"no answer to a ping", [](Scene&) {}, "1000", "none", {.ping_interval = 2s}},
      {"close() while a message waits, and the peer reads all",
       [=](Scene& s) {
         send_message_that_waits(s);
         s.socket->close(4000);
         s.peer.send(bytes(Opcode::close, close_payload(4000)));
       },
       "4000", "4000"},
      {"the peer closes while a message waits",
       [=](Scene& s) {
         send_message_that_waits(s);
         s.peer.send(close_1001);
       },
       "1001", "1001"},
      {"a fault while a message waits",
       [=](Scene& s) {
         send_message_that_waits(s);
         s.peer.send(bad_text);
       },
       "1007", "none"},
      {"a reset while a message waits",
       [=](Scene& s) {
         send_message_that_waits(s);
         s.peer.reset();
       },
       "gone", "none"},
      {"a queue that is full",
       [](Scene& s) {
         send_message_that_waits(s);
         for (int i = 0; i < 5; ++i) s.socket->post_message("x");
         CHECK(s.socket->is_closing());
       },
       "1013",
       "none",
       {.queue = small_queue}},
  };
}

// Reads the bytes that the peer receives: the code of a close frame, and whether bytes follow it.
class Peer {
 public:
  explicit Peer(Role role) : reader_({.role = role, .max_message_size = 2 * kMoreThanTheKernelTakes}) {}
  void take(std::string bytes) {
    std::span<char> rest(bytes);
    if (!seen_.empty() && !rest.empty()) trailing_ = true;
    for (;;) {
      switch (reader_.read(rest)) {
        case MessageReader::Result::more: return;
        case MessageReader::Result::failed: FAIL("the peer got a fault: " << reader_.fault().reason);
        case MessageReader::Result::close: {
          const CloseStatus& status = reader_.close_status();
          seen_ = status.code ? std::to_string(*status.code) : "empty";
          if (!rest.empty()) trailing_ = true;
          break;
        }
        default: break;
      }
    }
  }
  std::string seen() const { return seen_.empty() ? "none" : seen_; }
  bool has_trailing_bytes() const { return trailing_; }

 private:
  MessageReader reader_;
  std::string seen_;
  bool trailing_ = false;
};

Task<> count_ends(WebSocketConnection& socket, int& ends) {
  for (;;) {
    const std::optional<Message> message = co_await socket.read_message();
    if (message) continue;
    ++ends;
    co_return;
  }
}

void check(const Path& path, Role role) {
  Scene scene(role, path.options);
  Peer peer(scene.peer_role());
  int ends = 0;
  TaskGroup tasks(scene.loop);
  tasks.add(count_ends(*scene.socket, ends));
  path.act(scene);
  const bool is_peer_there = path.sent != "gone";
  // The peer reads all, and the deadlines pass.
  for (int second = 0; second < 30; ++second) {
    for (int idle = 0; idle < 5; ++idle) {
      scene.loop.run_turn();
      if (!is_peer_there) continue;
      std::string bytes = scene.received_now();
      if (!bytes.empty()) idle = 0;
      peer.take(std::move(bytes));
    }
    scene.clock.advance(1s);
  }
  CHECK(ends == 1);
  CHECK(scene.socket->is_closed());
  CHECK(scene.socket->waiting_bytes() == 0);
  const std::optional<std::uint16_t> code = scene.socket->close_code();
  CHECK((code ? std::to_string(*code) : "none") == path.received);
  CHECK(scene.read() == "end");
  CHECK_THROWS_AS(scene.socket->ping(), WebSocketClosedError);
  scene.socket->close(4999);
  if (is_peer_there) {
    peer.take(scene.received_to_end());
    CHECK(peer.seen() == path.sent);
    CHECK_FALSE(peer.has_trailing_bytes());
  }
}

TEST_CASE("every way to end a connection gives its reader one end, and its peer at most one close frame",
          "[websocket][close]") {
  for (const Role role : {Role::server, Role::client}) {
    for (const Path& path : paths_of(role == Role::server ? Role::client : Role::server)) {
      INFO(path.name << (role == Role::server ? ", at a server" : ", at a client"));
      check(path, role);
    }
  }
}

}  // namespace
}  // namespace squall::websocket::close_paths_test
