#include "latencies.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <numeric>
#include <system_error>

namespace c10k {
namespace {

// Below 16 us a bucket is one microsecond. Above, each power of two has eight buckets.
constexpr unsigned kSteps = 8;
constexpr std::uint64_t kExact = 2 * kSteps;

std::size_t bucket_of(std::uint64_t microseconds) noexcept {
  if (microseconds < kExact) return microseconds;
  const unsigned shift = static_cast<unsigned>(std::bit_width(microseconds)) - 4;
  return shift * kSteps + (microseconds >> shift);
}

std::uint64_t end_of_bucket(std::size_t bucket) noexcept {
  if (bucket < kExact) return bucket + 1;
  const std::size_t shift = bucket / kSteps - 1;
  return (bucket - shift * kSteps + 1) << shift;
}

// Takes a number, and the character behind it, from the front of `text`.
std::optional<std::uint32_t> take_number(std::string_view& text, char end) {
  std::uint32_t number = 0;
  const char* last = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || (behind != last && *behind != end)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(behind - text.data()) + (behind == last ? 0 : 1));
  return number;
}

}  // namespace

void Latencies::add(std::chrono::nanoseconds latency) noexcept {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(latency).count();
  ++counts_[std::min(bucket_of(static_cast<std::uint64_t>(std::max<long>(microseconds, 0))), kBuckets - 1)];
}

void Latencies::add(const Latencies& other) noexcept {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
}

std::uint64_t Latencies::count() const noexcept {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

std::optional<std::chrono::microseconds> Latencies::percentile(double part) const noexcept {
  const std::uint64_t all = count();
  if (all == 0) return std::nullopt;
  const auto wanted = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(all))), 1, all);
  std::uint64_t below = 0;
  std::size_t bucket = 0;
  while ((below += counts_[bucket]) < wanted) ++bucket;
  return std::chrono::microseconds(end_of_bucket(bucket));
}

std::string Latencies::to_string() const {
  std::string text;
  for (std::size_t i = 0; i < kBuckets; ++i)
    if (counts_[i] != 0) text += fmt::format("{}{}:{}", text.empty() ? "" : ",", i, counts_[i]);
  return text.empty() ? "-" : text;
}

std::optional<Latencies> Latencies::parse(std::string_view text) {
  Latencies result;
  if (text == "-") return result;
  do {
    const std::optional<std::uint32_t> bucket = take_number(text, ':');
    if (!bucket || *bucket >= kBuckets) return std::nullopt;
    const std::optional<std::uint32_t> count = take_number(text, ',');
    if (!count) return std::nullopt;
    result.counts_[*bucket] = *count;
  } while (!text.empty());
  return result;
}

}  // namespace c10k
