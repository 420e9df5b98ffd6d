#include <squall/websocket/connection/keep_alive.h>

#include <squall/ioloop/base/log.h>
#include <squall/iostream/address/errors.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <set>
#include <utility>

namespace squall::websocket {
namespace {

// A program with more pairs than this makes them up for each connection: the others are not warned of.
constexpr std::size_t kMaxWarnings = 16;

void warn_once(TimeSpan interval, TimeSpan timeout) {
  static std::mutex mutex;
  static std::set<std::pair<TimeSpan, TimeSpan>> warned;
  const std::lock_guard lock(mutex);
  if (warned.size() >= kMaxWarnings || !warned.emplace(interval, timeout).second) return;
  using Seconds = std::chrono::duration<double>;
  log::general().warning(
      "The ping_timeout of a WebSocket, {} s, is longer than its ping_interval of {} s, which is used",
      Seconds(timeout).count(), Seconds(interval).count());
}

}  // namespace

KeepAlive::KeepAlive(WebSocketConnection& connection, IOLoop& loop, const ConnectionOptions& options)
    : connection_(connection),
      loop_(loop),
      interval_(*options.ping_interval),
      timeout_(options.ping_timeout.value_or(interval_)) {
  if (timeout_ > interval_) {
    warn_once(interval_, timeout_);
    timeout_ = interval_;
  }
  ping_at(loop_->deadline_after(interval_));
}

void KeepAlive::ping_at(IOLoop::TimePoint when) {
  timer_ = loop_->call_at(when, [this] { ping(); });
}

// Sets the next timer first: a ping that fails must not end the pings.
void KeepAlive::ping() {
  if (connection_.is_closing()) return;
  pinged_ = loop_->time();
  has_received_ = false;
  if (timeout_ > timeout_.zero()) {
    timer_ = loop_->call_at(saturating_add(pinged_, timeout_), [this] { check(); });
  } else {
    ping_at(saturating_add(pinged_, interval_));
  }
  try {
    connection_.ping();
  } catch (const StreamBufferFullError&) {
    // The peer has not taken many bytes. The timeout decides about it.
  }
}

void KeepAlive::check() {
  if (!has_received_ && connection_.is_reading()) {
    connection_.close(std::nullopt, "ping timed out");  // destroys this object
    return;
  }
  ping_at(saturating_add(pinged_, interval_));
}

}  // namespace squall::websocket
