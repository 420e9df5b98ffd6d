#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_ref.h>
#include <squall/websocket/connection/connection_options.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace squall::websocket {

class WebSocketConnection;

// Sends pings, and closes the connection if the peer sends nothing behind one (WSK-70 to WSK-74).
//
// Every byte of the peer counts, because a pong may be behind a large message. Bytes that the peer takes
// while more bytes wait count too: a slow peer answers a ping when it has read the bytes before it.
//
// While bytes wait to be sent, a close frame would wait too: then the timeout closes the stream at once. If
// the program neither reads nor waits to write, a pong would not be seen, and the connection stays open.
//
// Thread:    the loop's thread.
// Lifetime:  borrows the connection. The destructor stops the pings.
class KeepAlive {
 public:
  // Warns of a timeout that is longer than the interval, once for each pair of the two (WSK-71).
  // `options.ping_interval` must be positive.
  KeepAlive(WebSocketConnection& connection, IOLoop& loop, const ConnectionOptions& options);
  ~KeepAlive() { loop_->remove_timeout(timer_); }
  KeepAlive(const KeepAlive&) = delete;
  KeepAlive& operator=(const KeepAlive&) = delete;

  // Bytes have arrived.
  void note_received() noexcept { has_received_ = true; }
  // A ping was sent, and nothing has arrived since.
  bool awaits_answer() const noexcept { return pinged_ && !has_received_; }

 private:
  // The stream's bytes at one time.
  struct Count {
    std::int64_t written;  // by the program, and by this object
    std::int64_t taken;    // of these by the peer's system
    std::size_t arrived;   // from the peer, in the kernel
  };

  void ping();
  void check();
  bool is_alive(const Count& now);
  Count count();
  void ping_at(IOLoop::TimePoint when);

  WebSocketConnection& connection_;
  LoopRef loop_;
  TimeSpan interval_;
  TimeSpan timeout_;  // zero: none
  Timeout timer_;
  std::optional<IOLoop::TimePoint> pinged_{};  // nullopt before the first ping
  Count before_ping_{};
  std::int64_t ping_size_ = 0;
  bool has_received_ = false;  // since the last ping
};

}  // namespace squall::websocket
