#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>

#include <chrono>

namespace squall {

// The time at which a wait ends with a timeout. A duration counts from the call, as in call_later(); a time
// point is absolute, so a function can pass its deadline on to the functions it calls.
//
//     co_await event.wait(5s);        // five seconds from now
//     co_await event.wait(deadline);  // when time() has reached `deadline`
//
// A timeout of zero or less has passed already (LCK-01), and one that is too long for the clock never passes.
// To wait without a deadline, call the overload without one.
//
// Thread:    constructing it from a duration needs the loop's thread.
class Deadline {
 public:
  template <class Rep, class Period>
  Deadline(std::chrono::duration<Rep, Period> timeout)  // NOLINT(google-explicit-constructor)
      : when_(IOLoop::current().deadline_after(timeout)) {}
  Deadline(IOLoop::TimePoint when) noexcept : when_(when) {}  // NOLINT(google-explicit-constructor)

  IOLoop::TimePoint when() const noexcept { return when_; }
  // True for TimePoint::max(): no timer is set.
  bool never() const noexcept { return when_ == IOLoop::TimePoint::max(); }

 private:
  IOLoop::TimePoint when_;
};

}  // namespace squall
