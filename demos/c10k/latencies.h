#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace c10k {

// Counts latencies from 1 us to some hours in buckets that are at most an eighth of their value wide. The
// counts of several processes can be added; their percentiles cannot.
class Latencies {
 public:
  void add(std::chrono::nanoseconds latency) noexcept;
  void add(const Latencies& other) noexcept;
  std::uint64_t count() const noexcept;
  // The upper end of the bucket that has the given part of all latencies at or below it, 0.99 for the 99th
  // percentile; nullopt without latencies.
  std::optional<std::chrono::microseconds> percentile(double part) const noexcept;

  // One word: `12:3,40:1`, the buckets and their counts; `-` without latencies.
  std::string to_string() const;
  // nullopt for another text.
  static std::optional<Latencies> parse(std::string_view text);

 private:
  static constexpr std::size_t kBuckets = 256;

  std::array<std::uint32_t, kBuckets> counts_{};
};

}  // namespace c10k
