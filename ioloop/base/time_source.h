#pragma once

#include <chrono>

namespace squall {

// Replaces the clock of a loop: see testing/virtual_clock.h.
//
// Thread:    the loop's thread only.
class TimeSource {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Must never go back.
  virtual TimePoint now() noexcept = 0;
  // Called if the loop has no work before `when`, the deadline of its earliest timer. True if now() has
  // reached `when`, so that the loop does not wait; false if the loop must wait for descriptors and
  // callbacks.
  virtual bool skip_to(TimePoint when) noexcept = 0;

 protected:
  ~TimeSource() = default;
};

}  // namespace squall
