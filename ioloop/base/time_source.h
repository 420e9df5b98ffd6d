#pragma once

#include <chrono>

namespace squall {

// Where a loop takes its time from, if not from the system: see testing/virtual_clock.h.
//
// Thread:    the loop's thread only.
class TimeSource {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Never goes back.
  virtual TimePoint now() noexcept = 0;
  // The loop has nothing to do before `when`, its earliest timer. True if now() has got there, so that it
  // need not wait; false to wait for descriptors and callbacks alone.
  virtual bool skip_to(TimePoint when) noexcept = 0;

 protected:
  ~TimeSource() = default;
};

}  // namespace squall
