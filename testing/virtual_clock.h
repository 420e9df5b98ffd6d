#pragma once

#include <squall/ioloop/base/time_source.h>

#include <chrono>

namespace squall::testing {

// A clock of a loop that does not advance while there is work, and skips to the next timer when there is
// none. A test that sleeps for a day takes no time, and its timers fire in order, exactly at their
// deadlines.
//
//     VirtualClock clock;
//     TestLoop loop({.time_source = &clock});
//     loop.run(sleeps_a_day());
//
// Events from outside the loop (another thread, another process) take real time, which this clock does not
// measure: such tests use Idle::wait and call advance().
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
  // Timers that become due run in the next turn of the loop.
  void advance(std::chrono::nanoseconds by) noexcept { now_ += by; }

 private:
  Idle idle_;
  // Not the epoch, so that deadlines before now() differ from a default-constructed time point.
  TimePoint now_ = TimePoint(std::chrono::hours(24));
};

}  // namespace squall::testing
