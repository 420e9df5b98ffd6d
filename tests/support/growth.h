#pragma once

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <limits>

namespace squall::testing {

// Between the growth of linear and of quadratic work: see growth().
inline constexpr double kMostLinearGrowth = 24;

// The seconds that this thread has run: other programs on the machine do not count.
inline double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The time of `work(8 * size)` divided by that of `work(size)`: up to 8 for linear work, 64 for quadratic
// work. `size` must be large enough that `work(size)` is more than the fixed part.
template <class Work>
double growth(std::size_t size, Work work) {
  double best = std::numeric_limits<double>::max();
  // The least of some measurements: interruptions only add time.
  for (int attempt = 0; attempt < 5 && best >= kMostLinearGrowth; ++attempt) {
    double times[2];
    for (const bool is_large : {false, true}) {
      double& least = times[is_large ? 1 : 0] = std::numeric_limits<double>::max();
      for (int i = 0; i < 3; ++i) {
        const double begin = thread_seconds();
        work(is_large ? 8 * size : size);
        least = std::min(least, thread_seconds() - begin);
      }
    }
    best = std::min(best, times[1] / times[0]);
  }
  return best;
}

}  // namespace squall::testing
