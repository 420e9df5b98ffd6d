#pragma once

#include <squall/ioloop/poller/poller.h>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

// Conversions between Events and the types of poll(2), for the pollers that use pollfd or milliseconds.
namespace squall::detail {

constexpr short to_poll(Events events) noexcept {
  return static_cast<short>((has(events, Events::read) ? POLLIN : 0) |
                            (has(events, Events::write) ? POLLOUT : 0));
}

// The kernel reports errors and hang-ups always. They become readiness to read and write: the read or write
// that follows gets the errno.
constexpr Events from_poll(short flags) noexcept {
  if (flags & (POLLERR | POLLHUP | POLLNVAL)) return Events::read | Events::write | Events::hangup;
  return (flags & POLLIN ? Events::read : Events::none) | (flags & POLLOUT ? Events::write : Events::none);
}

// The timeout of poll(2) in milliseconds, -1 for no limit. Rounded up: a wait that ended too early would
// make the loop spin until the deadline.
constexpr int to_milliseconds(std::optional<std::chrono::nanoseconds> timeout) noexcept {
  if (!timeout) return -1;
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
  return static_cast<int>(std::min<std::int64_t>(whole, std::numeric_limits<int>::max()));
}

}  // namespace squall::detail
