#pragma once

#include <squall/ioloop/loop/ioloop.h>

#include <chrono>
#include <new>

#include "support/faults.h"

namespace squall::testing {

// Adds timers that fire in a year, until the next timer would need memory. For a loop with few timers.
inline void fill_timers(IOLoop& loop) {
  // Beyond 128 timers the array of deadlines has room for 256, as the first block of callbacks has.
  for (int i = 0; i < 150; ++i) loop.call_later(std::chrono::hours(24 * 365), [] {});
  const faults::AllocationFault fault(0, faults::kAlways);
  try {
    for (;;) loop.call_later(std::chrono::hours(24 * 365), [] {});
  } catch (const std::bad_alloc&) {
    // Full.
  }
}

}  // namespace squall::testing
