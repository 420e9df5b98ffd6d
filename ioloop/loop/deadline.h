#pragma once

#include <squall/ioloop/loop/ioloop.h>

#include <chrono>

namespace squall {

// When a wait is given up. A duration counts from the current loop's time() now, a time_point is absolute, so
// that a deadline can be handed down through calls without starting afresh.
//
//     co_await event.wait(5s);        // five seconds from now
//     co_await event.wait(deadline);  // when time() has reached `deadline`
//
// A timeout of zero or less is one that has passed already, not one that never comes (LCK-01).
class Deadline {
 public:
  template <class Rep, class Period>
  Deadline(std::chrono::duration<Rep, Period> timeout)  // NOLINT(google-explicit-constructor)
      : when_(from_now(timeout)) {}
  Deadline(IOLoop::TimePoint when) noexcept : when_(when) {}  // NOLINT(google-explicit-constructor)

  IOLoop::TimePoint when() const noexcept { return when_; }
  // So far away that no timer is needed.
  bool never() const noexcept { return when_ == IOLoop::TimePoint::max(); }

 private:
  template <class Timeout>
  static IOLoop::TimePoint from_now(Timeout timeout) {
    // A century is for ever, and far from where adding to the clock overflows. Compared as seconds in
    // floating point: hours::max() has no place in nanoseconds.
    constexpr std::chrono::duration<double> kForEver = std::chrono::years(100);
    const std::chrono::duration<double> seconds = timeout;
    if (seconds > kForEver) return IOLoop::TimePoint::max();
    const IOLoop::TimePoint now = IOLoop::current().time();
    // Written so that a timeout that is not a number has passed as well.
    if (!(seconds > seconds.zero())) return now;
    return now + std::chrono::duration_cast<IOLoop::Duration>(timeout);
  }

  IOLoop::TimePoint when_;
};

}  // namespace squall
