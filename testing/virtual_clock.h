#pragma once

#include <squall/ioloop/base/time_source.h>

#include <chrono>

namespace squall::testing {

// A loop's clock that stands still while there is work, and jumps to the next timer when there is none: a
// test that sleeps for a day takes no time, and its timers fire in their order, at exactly their deadlines.
//
//     VirtualClock clock;
//     TestLoop loop({.time_source = &clock});
//     loop.run(sleeps_a_day());
//
// What comes from outside the loop (another thread, another process) takes real time, which this clock does
// not see: such tests set it to Idle::wait and advance() by hand.
//
// Thread:    the loop's thread only.
// Lifetime:  outlives the loop.
class VirtualClock final : public TimeSource {
 public:
  enum class Idle {
    skip,  // to the next timer
    wait,  // until advance()
  };

  explicit VirtualClock(Idle idle = Idle::skip) noexcept : idle_(idle) {}

  TimePoint now() noexcept override { return now_; }
  bool skip_to(TimePoint when) noexcept override {
    if (idle_ == Idle::wait && when > now_) return false;
    if (when > now_) now_ = when;
    return true;
  }
  // What is due by then runs in the loop's next turn.
  void advance(std::chrono::nanoseconds by) noexcept { now_ += by; }

 private:
  Idle idle_;
  // Not the epoch, so that deadlines before now() can be told from none.
  TimePoint now_ = TimePoint(std::chrono::hours(24));
};

}  // namespace squall::testing
