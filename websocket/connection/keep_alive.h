#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_ref.h>
#include <squall/websocket/connection/connection_options.h>

namespace squall::websocket {

class WebSocketConnection;

// Sends pings, and closes the connection if the peer sends nothing behind one (WSK-70 to WSK-74).
//
// Every byte of the peer counts, because a pong may be behind a large message. While the program does not
// read, nothing can be received, and the connection stays open.
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

 private:
  void ping();
  void check();
  void ping_at(IOLoop::TimePoint when);

  WebSocketConnection& connection_;
  LoopRef loop_;
  TimeSpan interval_;
  TimeSpan timeout_;  // zero: none
  Timeout timer_;
  IOLoop::TimePoint pinged_{};
  bool has_received_ = false;  // since the last ping
};

}  // namespace squall::websocket
