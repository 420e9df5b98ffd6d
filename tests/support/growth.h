#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>

#include "support/byte_by_byte.h"

namespace squall::testing {

// How many times as large the large input of growth() is.
inline constexpr std::size_t kLargeToSmall = 16;
// Between the growth of linear work, 16, and of quadratic work, 256. Caches, and memory that malloc() maps
// anew for each large input, make linear work up to three times as expensive.
inline constexpr double kMostLinearGrowth = 80;

// The processor time of a call `work(16 * size)`, divided by that of `work(size)`. Choose `size` so large
// that work which does not depend on it is small.
template <class Work>
double growth(std::size_t size, Work work) {
  double best = std::numeric_limits<double>::max();
  // The least of some measurements: interruptions only add time.
  for (int attempt = 0; attempt < 5 && best >= kMostLinearGrowth; ++attempt) {
    double times[2];
    for (const bool is_large : {false, true}) {
      double& least = times[is_large ? 1 : 0] = std::numeric_limits<double>::max();
      for (int i = 0; i < 3; ++i) {
        const auto begin = thread_time();
        work(is_large ? kLargeToSmall * size : size);
        least = std::min(least, std::chrono::duration<double>(thread_time() - begin).count());
      }
    }
    best = std::min(best, times[1] / times[0]);
  }
  return best;
}

}  // namespace squall::testing
