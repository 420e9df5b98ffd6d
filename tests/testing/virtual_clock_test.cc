#include <squall/testing/virtual_clock.h>

#include <squall/ioloop/loop/sleep.h>
#include <squall/testing/test_loop.h>

#include <vector>

#include "support/catch.h"

namespace squall::virtual_clock_test {
namespace {

using namespace std::chrono_literals;
using testing::TestLoop;
using testing::VirtualClock;

Task<> sleep_a_year() { co_await sleep(24h * 365); }

TEST_CASE("a year of sleep takes no time, and ends at its very deadline", "[virtual_clock]") {
  VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  const auto before = clock.now();
  loop.run(sleep_a_year());
  CHECK(clock.now() - before == 24h * 365);
}

TEST_CASE("timers fire in the order of their deadlines, each at its own", "[virtual_clock]") {
  VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  const auto start = loop.time();
  std::vector<IOLoop::Duration> fired;
  for (const auto delay : {3s, 1s, 2s}) loop.call_later(delay, [&] { fired.push_back(loop.time() - start); });
  loop.run_until([&] { return fired.size() == 3; });
  CHECK(fired == std::vector<IOLoop::Duration>{1s, 2s, 3s});
}

TEST_CASE("the time does not change while there is work", "[virtual_clock]") {
  VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  const auto start = loop.time();
  loop.call_later(1s, [] {});
  struct Work {
    static Task<> last() {
      for (int turn = 0; turn < 100; ++turn) co_await moment();
    }
  };
  loop.run(Work::last());
  CHECK(loop.time() == start);
}

TEST_CASE("a clock that waits is moved by hand", "[virtual_clock]") {
  VirtualClock clock(VirtualClock::Idle::wait);
  TestLoop loop({.time_source = &clock});
  bool fired = false;
  loop.call_later(1s, [&] { fired = true; });
  loop.run_turn();
  CHECK_FALSE(fired);
  clock.advance(999ms);
  loop.run_turn();
  CHECK_FALSE(fired);
  clock.advance(1ms);
  loop.run_turn();
  CHECK(fired);
}

}  // namespace
}  // namespace squall::virtual_clock_test
