#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace squall {

// A histogram of delays, in buckets of powers of two of a microsecond.
class LagHistogram {
 public:
  static constexpr std::size_t kBuckets = 32;

  void record(std::chrono::nanoseconds lag) noexcept {
    const auto micros = static_cast<std::uint64_t>(lag.count() < 0 ? 0 : lag.count() / 1000);
    const auto bucket = static_cast<std::size_t>(std::bit_width(micros));
    ++buckets_[bucket < kBuckets ? bucket : kBuckets - 1];
    ++count_;
  }

  std::uint64_t count() const noexcept { return count_; }
  // The number of delays up to upper_bound(index) and above the previous bound.
  std::uint64_t bucket(std::size_t index) const noexcept { return buckets_[index]; }
  static constexpr std::chrono::microseconds upper_bound(std::size_t index) noexcept {
    return std::chrono::microseconds((std::uint64_t{1} << index) - 1);
  }
  // The smallest upper bound that holds for `share` (0.99, ...) of the delays; zero if nothing was recorded.
  std::chrono::microseconds percentile(double share) const noexcept {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += buckets_[i];
      if (count_ > 0 && static_cast<double>(seen) >= share * static_cast<double>(count_))
        return upper_bound(i);
    }
    return {};
  }

 private:
  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
};

// Counters of a loop since its construction, and its present sizes: IOLoop::stats().
struct LoopStats {
  std::uint64_t turns = 0;
  std::uint64_t callbacks = 0;  // callbacks that ran, including those that other threads added
  std::uint64_t events = 0;     // descriptors the poller found ready
  std::uint64_t timers = 0;     // timers that fired

  std::size_t handlers = 0;  // descriptors registered, the loop's own included
  std::size_t pending_callbacks =
      0;  // callbacks of the loop's thread in the queue; callbacks of other threads count when they run
  std::size_t pending_timers = 0;
  std::size_t tasks = 0;  // in the loop's TaskGroups: spawned, connections, ...

  // The delay of the earliest timer that was due, recorded once for each turn with due timers. Slow callbacks
  // show here first.
  LagHistogram lag;
};

}  // namespace squall
