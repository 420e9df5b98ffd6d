#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/testing/virtual_clock.h>

#include <string>
#include <vector>

#include "support/test_loop.h"

// Delays in a turn that takes long, and the shortest and longest delays. clock.advance() replaces work that
// takes long.
namespace squall::time_test {
namespace {

using namespace std::chrono_literals;
using testing::TestLoop;
using testing::throws;
using testing::VirtualClock;

TEST_CASE("time() stays the same during a turn, and now() does not", "[time]") {
  VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  CHECK(loop.time() == clock.now());
  IOLoop::Duration difference{};
  loop.add_callback([&] {
    clock.advance(300ms);
    difference = loop.now() - loop.time();
  });
  loop.run_turn();
  CHECK(difference == 300ms);
}

TEST_CASE("a delay counts from the call, also after the turn was blocked", "[time]") {
  VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  const auto slept = [](VirtualClock& clock, IOLoop::Duration delay) -> Task<IOLoop::Duration> {
    clock.advance(300ms);
    const auto before = clock.now();
    co_await sleep(delay);
    co_return clock.now() - before;
  };
  CHECK(loop.run(slept(clock, 100ms)) == 100ms);
  CHECK(loop.run(slept(clock, 1s)) == 1s);
  IOLoop::TimePoint due;
  IOLoop::TimePoint fired;
  loop.add_callback([&] {
    clock.advance(300ms);
    due = clock.now() + 100ms;
    loop.call_later(100ms, [&] { fired = loop.time(); });
  });
  loop.run_until([&] { return fired != IOLoop::TimePoint(); });
  CHECK(fired == due);
}

TEST_CASE("a virtual clock does not skip to a timer that never fires", "[time]") {
  VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  bool fired = false;
  loop.call_later(IOLoop::Duration::max(), [&] { fired = true; });
  loop.run_once(0s);
  CHECK_FALSE(fired);
  CHECK(clock.now() < IOLoop::TimePoint::max());
}

TEST_CASE("a delay of zero or less is over in the turn of the call", "[time]") {
  TestLoop loop;
  std::vector<int> out;
  loop.add_callback([&] {
    loop.call_later(0s, [&] { out.push_back(1); });
    loop.call_later(-1h, [&] { out.push_back(2); });
    loop.call_later(IOLoop::Duration::min(), [&] { out.push_back(3); });
    loop.call_later(std::chrono::hours::min(), [&] { out.push_back(4); });
  });
  loop.run_turn();
  CHECK(out == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("a timer at the earliest time of the clock fires at once", "[time]") {
  TestLoop loop;
  bool fired = false;
  loop.call_at(IOLoop::TimePoint::min(), [&] { fired = true; });
  CHECK(loop.next_timeout() == 0ns);
  loop.run_turn();
  CHECK(fired);
}

TEST_CASE("a delay too long for the clock never ends", "[time]") {
  TestLoop loop;
  bool fired = false;
  const auto sleeps = [](bool& fired) -> Task<> {
    co_await sleep(std::chrono::hours::max());
    fired = true;
  };
  loop.spawn(sleeps(fired));
  loop.call_later(IOLoop::Duration::max(), [&] { fired = true; });
  loop.call_later(std::chrono::hours::max(), [&] { fired = true; });
  loop.run_turn();
  CHECK_FALSE(loop.next_timeout());
  loop.run_turn();
  CHECK_FALSE(fired);
}

TEST_CASE("the time until a timer does not overflow, whatever the clock says", "[time]") {
  struct Early final : TimeSource {
    TimePoint now() noexcept override { return TimePoint(-100h); }
    bool skip_to(TimePoint) noexcept override { return false; }
  } early;
  TestLoop loop({.time_source = &early});
  loop.call_at(IOLoop::TimePoint::max() - 1ns, [] {});
  CHECK(loop.next_timeout() == IOLoop::Duration::max());
}

TEST_CASE("run_sync and run_once take every duration", "[time]") {
  TestLoop loop;
  const auto value = []() -> Task<int> {
    co_await moment();
    co_return 7;
  };
  const auto forever = []() -> Task<> { co_await sleep(std::chrono::hours::max()); };
  CHECK(loop.run_sync(value(), std::chrono::hours::max()) == 7);
  CHECK_THROWS_AS(loop.run_sync(forever(), -1h), TimeoutError);
  CHECK_THROWS_AS(loop.run_sync(forever(), IOLoop::Duration::min()), TimeoutError);
  loop.add_callback([] {});
  CHECK(loop.run_once(std::chrono::hours::max()));
  CHECK(loop.run_once(std::chrono::hours::min()));
}

TEST_CASE("a threshold of zero logs every callback, and one too long for the clock none", "[time]") {
  TestLoop loop({.slow_callback = std::chrono::hours::max()});
  loop.add_callback([] {});
  loop.run_turn();
  loop.set_slow_callback(0s);
  loop.call_soon([] {});
  loop.run_turn();
  loop.log.expect("The loop was held");
}

}  // namespace
}  // namespace squall::time_test
