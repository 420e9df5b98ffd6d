#pragma once

#include <squall/ioloop/base/sanitizer.h>

#include <time.h>

#include <chrono>
#include <cstddef>
#include <string_view>

#include "support/catch.h"

namespace squall::testing {

// The processor time that the calling thread has used.
inline std::chrono::nanoseconds thread_time() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Fails the test if the steps of a loop do not take linear time. A million steps, each with one byte more,
// take well under a second. If each step looked at all bytes before it, even at 10 GB/s, the steps would take
// a minute: hence the bound, far from both.
class LinearTime {
 public:
  void step() {
    if (++steps_ % kBetweenLooks == 0 && thread_time() > end_)
      FAIL("more than linear time: stopped after " << steps_ << " steps");
  }

 private:
  static constexpr std::size_t kBetweenLooks = 1024;
  static constexpr std::chrono::seconds kBound{kAddressSanitizer ? 60 : 10};
  std::size_t steps_ = 0;
  std::chrono::nanoseconds end_ = thread_time() + kBound;
};

// Calls `feed` with each byte of `input` alone.
template <class Feed>
void feed_byte_by_byte(std::string_view input, Feed feed) {
  LinearTime time;
  for (std::size_t i = 0; i < input.size(); ++i) {
    feed(input.substr(i, 1));
    time.step();
  }
}

}  // namespace squall::testing
