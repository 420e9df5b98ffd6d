// A peer that does not read, beside peers that do.

#include <squall/ioloop/base/sanitizer.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/stream_pair.h"
#include "support/test_loop.h"
#include "websocket/connection/scene.h"

namespace squall::websocket::slow_consumer_test {
namespace {

using squall::testing::RawPeer;
using squall::testing::tcp_pair;
using squall::testing::TestLoop;
using WhenFull = QueueOptions::WhenFull;

constexpr std::size_t kMessage = 5000;
constexpr std::size_t kMaxBytes = 256 * 1024;

// A receiver of published messages.
struct Consumer {
  Consumer(TestLoop& loop, const ConnectionOptions& options) : Consumer(loop, options, tcp_pair()) {}
  Consumer(TestLoop& loop, const ConnectionOptions& options, std::pair<OwnedFd, OwnedFd> fds)
      : peer(std::move(fds.second)),
        socket(std::make_unique<WebSocketConnection>(IOStream(std::move(fds.first), {}, loop), Role::server,
                                                     ConnectionTerms{}, options)) {}
  RawPeer peer;
  std::unique_ptr<WebSocketConnection> socket;
};

// Message `number`, of kMessage bytes.
std::string message(int number) { return fmt::format("{:0{}}", number, kMessage); }
std::string frame_of(int number) {
  std::string bytes;
  append_frame(bytes, {.opcode = Opcode::text}, message(number));
  return bytes;
}

std::size_t memory_in_use() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST_CASE("a slow consumer takes no more memory than its bound, and the others get each message at once",
          "[websocket][slow]") {
  constexpr int kMessages = 3000;  // more bytes than the kernel's buffers take
  for (const WhenFull when_full :
       {WhenFull::drop_oldest, WhenFull::drop_newest, WhenFull::keep_latest, WhenFull::close}) {
    CAPTURE(when_full);
    TestLoop loop;
    ConnectionOptions options;
    options.queue.when_full = when_full;
    options.queue.max_bytes = kMaxBytes;
    Consumer slow(loop, options);
    std::vector<std::unique_ptr<Consumer>> fast;
    for (int i = 0; i < 3; ++i) fast.push_back(std::make_unique<Consumer>(loop, options));
    std::uint64_t most_waiting = 0;
    std::size_t before = 0;
    std::size_t most = 0;
    for (int number = 0; number < kMessages; ++number) {
      slow.socket->post_message(message(number));
      for (const auto& consumer : fast) {
        if (!consumer->socket->post_message(message(number))) FAIL("a fast consumer lost " << number);
      }
      loop.run_turn();
      // The message has arrived within this turn.
      for (const auto& consumer : fast) {
        if (consumer->peer.received() != frame_of(number)) FAIL("a fast consumer waits for " << number);
      }
      most_waiting = std::max(most_waiting, slow.socket->waiting_bytes());
      if (number == kMessages / 2) before = memory_in_use();
      if (number > kMessages / 2) most = std::max(most, memory_in_use());
    }
    CHECK(most_waiting > SendQueue::kHighWater);  // it was slow
    CHECK(most_waiting <= SendQueue::kHighWater + kMessage + 10 + kMaxBytes);
    if (!kAddressSanitizer && !kThreadSanitizer) CHECK(most < before + 64 * 1024);
    CHECK((slow.socket->dropped_messages() > 0));
    CHECK(slow.socket->is_closing() == (when_full == WhenFull::close));
  }
}

}  // namespace
}  // namespace squall::websocket::slow_consumer_test
