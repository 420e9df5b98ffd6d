#pragma once

#include <chrono>
#include <limits>
#include <ratio>
#include <type_traits>
#include <utility>

namespace squall {

namespace detail {

// The nearest number of nanoseconds: the longest or the shortest for a duration out of range, and zero for a
// floating-point duration that is not a number.
template <class Rep, class Period>
constexpr std::chrono::nanoseconds to_nanoseconds(std::chrono::duration<Rep, Period> span) noexcept {
  using std::chrono::nanoseconds;
  using Factor = std::ratio_divide<Period, std::nano>;
  if constexpr (std::is_integral_v<Rep> && Factor::den == 1) {
    if (std::cmp_greater(span.count(), nanoseconds::max().count() / Factor::num)) return nanoseconds::max();
    if (std::cmp_less(span.count(), nanoseconds::min().count() / Factor::num)) return nanoseconds::min();
    return nanoseconds(static_cast<nanoseconds::rep>(span.count()) * Factor::num);
  } else {
    const long double count = std::chrono::duration<long double, std::nano>(span).count();
    constexpr long double kEnd = 9223372036854775808.0L;  // 2 to the power of 63
    if (count >= kEnd) return nanoseconds::max();
    if (count <= -kEnd) return nanoseconds::min();
    return nanoseconds(count == count ? static_cast<nanoseconds::rep>(count) : 0);
  }
}

}  // namespace detail

// A delay or a timeout. Every std::chrono::duration converts to it, without overflow: a duration that does
// not fit becomes the longest one, about 292 years.
//
//     options.timeout = std::chrono::hours::max();            // std::chrono::nanoseconds would overflow
//     co_await sleep(std::chrono::duration<double>(seconds));
//
// Its operators are the operators of std::chrono::nanoseconds, which may overflow. saturating_add() and
// saturating_subtract() do not overflow.
class TimeSpan : public std::chrono::nanoseconds {
 public:
  constexpr TimeSpan() noexcept : std::chrono::nanoseconds(0) {}
  template <class Rep, class Period>
  constexpr TimeSpan(std::chrono::duration<Rep, Period> span) noexcept  // NOLINT(google-explicit-constructor)
      : std::chrono::nanoseconds(detail::to_nanoseconds(span)) {}
};

// A sum or a difference that does not fit becomes the nearest value that does.
constexpr std::chrono::nanoseconds saturating_add(std::chrono::nanoseconds a,
                                                  std::chrono::nanoseconds b) noexcept {
  using std::chrono::nanoseconds;
  nanoseconds::rep sum = 0;
  if (!__builtin_add_overflow(a.count(), b.count(), &sum)) return nanoseconds(sum);
  return b < nanoseconds::zero() ? nanoseconds::min() : nanoseconds::max();
}
constexpr std::chrono::nanoseconds saturating_subtract(std::chrono::nanoseconds a,
                                                       std::chrono::nanoseconds b) noexcept {
  using std::chrono::nanoseconds;
  nanoseconds::rep difference = 0;
  if (!__builtin_sub_overflow(a.count(), b.count(), &difference)) return nanoseconds(difference);
  return b < nanoseconds::zero() ? nanoseconds::max() : nanoseconds::min();
}
template <class Clock, class Duration>
constexpr std::chrono::time_point<Clock, Duration> saturating_add(
    std::chrono::time_point<Clock, Duration> start, TimeSpan span) noexcept {
  const auto sum = saturating_add(TimeSpan(start.time_since_epoch()), span);
  return std::chrono::time_point<Clock, Duration>(std::chrono::duration_cast<Duration>(sum));
}
template <class Clock, class Duration>
constexpr std::chrono::nanoseconds saturating_subtract(
    std::chrono::time_point<Clock, Duration> end, std::chrono::time_point<Clock, Duration> start) noexcept {
  return saturating_subtract(TimeSpan(end.time_since_epoch()), TimeSpan(start.time_since_epoch()));
}

}  // namespace squall
