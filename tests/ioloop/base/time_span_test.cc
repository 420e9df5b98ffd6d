#include <squall/ioloop/base/time_span.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "support/catch.h"

namespace squall::time_span_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration;
using std::chrono::nanoseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

TEST_CASE("a time span is exact where nanoseconds are", "[time_span]") {
  CHECK(TimeSpan() == 0ns);
  CHECK(TimeSpan(-3h) == -3h);
  CHECK(TimeSpan(nanoseconds::max()) == nanoseconds::max());
  CHECK(TimeSpan(nanoseconds::min()) == nanoseconds::min());
  CHECK(TimeSpan(std::chrono::years(292)) == std::chrono::years(292));
  CHECK(TimeSpan(duration<unsigned char, std::ratio<60>>(200)) == 200min);
  CHECK(TimeSpan(duration<std::int64_t, std::pico>(5999)) == 5ns);
  CHECK(TimeSpan(duration<double>(0.25)) == 250ms);
  CHECK(TimeSpan(duration<float, std::milli>(-1.5F)) == -1500us);
}

TEST_CASE("a duration that nanoseconds cannot hold becomes the longest or the shortest time span",
          "[time_span]") {
  CHECK(TimeSpan(std::chrono::hours::max()) == nanoseconds::max());
  CHECK(TimeSpan(std::chrono::hours::min()) == nanoseconds::min());
  CHECK(TimeSpan(std::chrono::years(293)) == nanoseconds::max());
  CHECK(TimeSpan(std::chrono::years(-293)) == nanoseconds::min());
  CHECK(TimeSpan(std::chrono::milliseconds::max()) == nanoseconds::max());
  CHECK(TimeSpan(duration<std::uint64_t>(std::numeric_limits<std::uint64_t>::max())) == nanoseconds::max());
  CHECK(TimeSpan(duration<double>(1e300)) == nanoseconds::max());
  CHECK(TimeSpan(duration<double>(-HUGE_VAL)) == nanoseconds::min());
  CHECK(TimeSpan(duration<std::int64_t, std::ratio<1, 3>>(std::numeric_limits<std::int64_t>::max())) ==
        nanoseconds::max());
}

TEST_CASE("a duration that is not a number is a time span of zero", "[time_span]") {
  CHECK(TimeSpan(duration<double>(std::nan(""))) == 0ns);
}

TEST_CASE("an option of type TimeSpan takes every duration, and none", "[time_span]") {
  struct Options {
    std::optional<TimeSpan> timeout = std::chrono::seconds(20);
  };
  Options options;
  CHECK(options.timeout == 20s);
  options.timeout = std::chrono::hours::max();
  CHECK(options.timeout == nanoseconds::max());
  options.timeout = std::nullopt;
  CHECK_FALSE(options.timeout);
  CHECK(Options{.timeout = 5min}.timeout == 5min);
}

TEST_CASE("sums and differences that do not fit become the nearest value", "[time_span]") {
  CHECK(saturating_add(2s, 3s) == 5s);
  CHECK(saturating_add(nanoseconds::max(), 1ns) == nanoseconds::max());
  CHECK(saturating_add(nanoseconds::min(), -1ns) == nanoseconds::min());
  CHECK(saturating_subtract(2s, 3s) == -1s);
  CHECK(saturating_subtract(nanoseconds::min(), 1ns) == nanoseconds::min());
  CHECK(saturating_subtract(0ns, nanoseconds::min()) == nanoseconds::max());
}

TEST_CASE("time points never overflow", "[time_span]") {
  const SteadyTime now(1000h);
  CHECK(saturating_add(now, 1h) == SteadyTime(1001h));
  CHECK(saturating_add(now, std::chrono::hours::max()) == SteadyTime::max());
  CHECK(saturating_add(SteadyTime::min(), nanoseconds::min()) == SteadyTime::min());
  CHECK(saturating_subtract(now, SteadyTime(999h)) == 1h);
  CHECK(saturating_subtract(SteadyTime::min(), now) == nanoseconds::min());
  CHECK(saturating_subtract(SteadyTime::max(), SteadyTime(-1h)) == nanoseconds::max());
}

}  // namespace
}  // namespace squall::time_span_test
