#pragma once

#include <squall/ioloop/loop/ioloop.h>

#include <chrono>

namespace squall {

// The time at which a wait ends with a timeout. A duration counts from the current loop's time(); a time
// point is absolute, so a function can pass its deadline on to the functions it calls.
//
//     co_await event.wait(5s);        // five seconds from now
//     co_await event.wait(deadline);  // when time() has reached `deadline`
//
// A timeout of zero or less has passed already (LCK-01). To wait without a deadline, call the overload
// without one.
//
// Thread:    constructing it from a duration needs the loop's thread.
class Deadline {
 public:
  template <class Rep, class Period>
  Deadline(std::chrono::duration<Rep, Period> timeout)  // NOLINT(google-explicit-constructor)
      : when_(from_now(timeout)) {}
  Deadline(IOLoop::TimePoint when) noexcept : when_(when) {}  // NOLINT(google-explicit-constructor)

  IOLoop::TimePoint when() const noexcept { return when_; }
  // True for TimePoint::max(): no timer is set.
  bool never() const noexcept { return when_ == IOLoop::TimePoint::max(); }

 private:
  template <class Timeout>
  static IOLoop::TimePoint from_now(Timeout timeout) {
    // More than a century counts as no deadline, so that adding it to the clock cannot overflow. Compared
    // in floating-point seconds, because hours::max() does not fit into nanoseconds.
    constexpr std::chrono::duration<double> kForEver = std::chrono::years(100);
    const std::chrono::duration<double> seconds = timeout;
    if (seconds > kForEver) return IOLoop::TimePoint::max();
    const IOLoop::TimePoint now = IOLoop::current().time();
    // Negated, so that NaN counts as passed too.
    if (!(seconds > seconds.zero())) return now;
    return now + std::chrono::duration_cast<IOLoop::Duration>(timeout);
  }

  IOLoop::TimePoint when_;
};

}  // namespace squall
