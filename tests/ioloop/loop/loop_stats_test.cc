#include <squall/ioloop/loop/loop_stats.h>

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/testing/virtual_clock.h>

#include "support/socket_pair.h"
#include "support/test_loop.h"

namespace squall::loop_stats_test {
namespace {

using namespace std::chrono_literals;
using testing::SocketPair;
using testing::TestLoop;
using testing::VirtualClock;

Task<> sleep_once() { co_await sleep(1h); }

TEST_CASE("stats count turns, callbacks, events and timers since the loop was made", "[loop_stats]") {
  VirtualClock clock(VirtualClock::Idle::wait);
  TestLoop loop({.time_source = &clock});
  const SocketPair pair;
  loop.add_handler(pair.near.get(), Events::read, [&](int, Events) { pair.get(); });
  const LoopStats before = loop.stats();
  loop.call_later(1s, [] {});
  loop.call_later(2s, [] {});
  loop.add_callback([] {});
  pair.put();
  clock.advance(1s);
  loop.run_turn();
  const LoopStats after = loop.stats();
  CHECK(after.turns == before.turns + 1);
  CHECK(after.callbacks == before.callbacks + 1);
  CHECK(after.events == before.events + 2);  // with the loop's own wake-up
  CHECK(after.timers == before.timers + 1);
  CHECK(after.pending_timers == 1);
  CHECK(after.handlers == 2);
  loop.remove_handler(pair.near.get());
  CHECK(loop.stats().handlers == 1);
}

TEST_CASE("stats count the tasks that live", "[loop_stats]") {
  TestLoop loop;
  loop.spawn(sleep_once());
  {
    TaskGroup group(loop);
    group.add(sleep_once());
    group.add(sleep_once());
    CHECK(loop.stats().tasks == 3);
  }
  CHECK(loop.stats().tasks == 1);
}

TEST_CASE("the lag is the time from the deadline of a timer to its run", "[loop_stats]") {
  VirtualClock clock(VirtualClock::Idle::wait);
  TestLoop loop({.time_source = &clock});
  loop.call_later(1s, [] {});
  clock.advance(1s + 100ms);
  loop.run_turn();
  const LagHistogram lag = loop.stats().lag;
  CHECK(lag.count() == 1);
  CHECK(lag.percentile(0.5) >= 100ms);
  CHECK(lag.percentile(0.5) < 200ms);
}

TEST_CASE("a lag histogram counts by powers of two of a microsecond", "[loop_stats]") {
  LagHistogram lag;
  CHECK(lag.percentile(0.99) == 0us);
  lag.record(-1ns);
  lag.record(999ns);
  lag.record(1us);
  lag.record(2us);
  lag.record(3us);
  lag.record(std::chrono::hours(24 * 365));
  CHECK(lag.bucket(0) == 2);
  CHECK(lag.bucket(1) == 1);
  CHECK(lag.bucket(2) == 2);
  CHECK(lag.bucket(LagHistogram::kBuckets - 1) == 1);
  CHECK(lag.count() == 6);
  CHECK(LagHistogram::upper_bound(2) == 3us);
  CHECK(lag.percentile(0.5) == 1us);
  CHECK(lag.percentile(0.8) == 3us);
}

}  // namespace
}  // namespace squall::loop_stats_test
