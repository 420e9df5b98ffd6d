#include <squall/websocket/connection/keep_alive.h>

#include <squall/ioloop/base/log.h>
#include <squall/iostream/address/errors.h>
#include <squall/iostream/socket/socket.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <set>
#include <system_error>
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
  has_received_ = true;  // until a ping has been sent
  if (timeout_ > timeout_.zero()) {
    timer_ = loop_->call_at(saturating_add(*pinged_, timeout_), [this] { check(); });
  } else {
    ping_at(saturating_add(*pinged_, interval_));
  }
  before_ping_ = count();
  try {
    connection_.ping();
  } catch (const StreamBufferFullError&) {
    // The peer has not taken many bytes. The timeout decides about it.
  }
  ping_size_ = count().written - before_ping_.written;
  has_received_ = false;
}

void KeepAlive::check() {
  if (connection_.is_closing()) return;
  if (has_received_ || is_alive(count())) return ping_at(saturating_add(*pinged_, interval_));
  // Both destroy this object.
  if (connection_.stream().pending_write_bytes() > 0) {
    connection_.drop(std::make_error_code(std::errc::timed_out));
  } else {
    connection_.close(std::nullopt, "ping timed out");
  }
}

// Whether the peer has done something since the ping, although nothing was received.
bool KeepAlive::is_alive(const Count& now) {
  // The system of a peer that hangs takes bytes too, until its buffer is full. So only bytes that had to wait
  // count: before the ping, or by now.
  const bool is_sending = connection_.stream().pending_write_bytes() > 0;
  const bool has_waited = before_ping_.taken < before_ping_.written || is_sending;
  if (has_waited && now.taken - before_ping_.taken > ping_size_) return true;
  if (connection_.is_reading()) return now.arrived > 0 || connection_.has_unread();
  // Bytes that arrived before the ping prove nothing.
  return !is_sending || now.arrived > before_ping_.arrived;
}

KeepAlive::Count KeepAlive::count() {
  const IOStream& stream = connection_.stream();
  const auto flushed = static_cast<std::int64_t>(stream.flushed_bytes());
  return {flushed + static_cast<std::int64_t>(stream.pending_write_bytes()),
          flushed - static_cast<std::int64_t>(unacknowledged_bytes(stream.fd())), arrived_bytes(stream.fd())};
}

}  // namespace squall::websocket
