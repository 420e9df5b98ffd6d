// Delays between attempts to connect.

#include <squall/websocket/client/backoff.h>

#include <chrono>
#include <limits>
#include <set>
#include <stdexcept>

#include "support/test_loop.h"

namespace squall::websocket::backoff_test {
namespace {

using namespace std::chrono_literals;

BackoffOptions fixed(double random) {
  BackoffOptions options;
  options.first_limit = 1s;
  options.max_limit = 10s;
  options.random = [random] { return random; };
  return options;
}

TEST_CASE("the limit of the delays grows by the factor up to its maximum", "[backoff]") {
  Backoff backoff(fixed(0.5));
  CHECK(backoff.limit() == 1s);
  for (const auto expected : {500ms, 1000ms, 2000ms, 4000ms, 5000ms, 5000ms})
    CHECK(backoff.next() == expected);
  CHECK(backoff.limit() == 10s);
}

TEST_CASE("a delay is from zero to the limit, whatever the random number is", "[backoff]") {
  CHECK(Backoff(fixed(0)).next() == 0s);
  CHECK(Backoff(fixed(1)).next() == 1s);
  CHECK(Backoff(fixed(7)).next() == 1s);
  CHECK(Backoff(fixed(-7)).next() == 0s);
}

TEST_CASE("after reset() the first limit counts again", "[backoff]") {
  Backoff backoff(fixed(1));
  backoff.next();
  backoff.next();
  backoff.reset();
  CHECK(backoff.next() == 1s);
  CHECK(backoff.next() == 2s);
}

TEST_CASE("between() gives times of the window, and its begin if the window is empty", "[backoff]") {
  Backoff backoff(fixed(0.25));
  CHECK(backoff.between(2s, 6s) == 3s);
  CHECK(backoff.between(2s, 2s) == 2s);
  CHECK(backoff.between(2s, 1s) == 2s);
  CHECK(backoff.between(TimeSpan::zero(), TimeSpan::max()) > 1h);
}

TEST_CASE("a limit that grows out of range stays the longest time", "[backoff]") {
  BackoffOptions options = fixed(1);
  options.max_limit = TimeSpan::max();
  options.factor = 1e12;
  Backoff backoff(options);
  for (int i = 0; i < 5; ++i) backoff.next();
  CHECK(backoff.next() == TimeSpan::max());
}

TEST_CASE("without a generator of the program the delays are random", "[backoff]") {
  std::set<TimeSpan> seen;
  for (int i = 0; i < 20; ++i) {
    Backoff backoff;
    const TimeSpan delay = backoff.next();
    CHECK(delay >= 0s);
    CHECK(delay <= 500ms);
    seen.insert(delay);
  }
  CHECK(seen.size() > 10);
}

TEST_CASE("a backoff refuses limits and factors that make no sense", "[backoff]") {
  const auto refused = [](auto change) {
    BackoffOptions options;
    change(options);
    CHECK_THROWS_AS(Backoff(options), std::invalid_argument);
  };
  refused([](BackoffOptions& options) { options.first_limit = 0s; });
  refused([](BackoffOptions& options) { options.first_limit = -1s; });
  refused([](BackoffOptions& options) { options.max_limit = 1ms; });
  refused([](BackoffOptions& options) { options.factor = 0.99; });
  refused([](BackoffOptions& options) { options.factor = std::numeric_limits<double>::quiet_NaN(); });
}

}  // namespace
}  // namespace squall::websocket::backoff_test
