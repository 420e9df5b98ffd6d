#include <squall/ioloop/loop/deadline.h>
#include <squall/testing/virtual_clock.h>

#include <cmath>

#include "support/test_loop.h"

namespace squall::deadline_test {
namespace {

using namespace std::chrono_literals;
using testing::TestLoop;
using testing::VirtualClock;

TEST_CASE("a duration counts from the call, a time_point is absolute", "[deadline]") {
  VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  std::vector<IOLoop::Duration> left;
  loop.add_callback([&] {
    clock.advance(7s);  // a callback that takes long
    left.push_back(Deadline(5s).when() - loop.now());
    left.push_back(Deadline(0.25s).when() - loop.now());
    left.push_back(Deadline(std::chrono::hours(24 * 365)).when() - loop.now());
    left.push_back(Deadline(loop.time() + 3s).when() - loop.time());
    left.push_back(Deadline(loop.time() - 3s).when() - loop.time());
  });
  loop.run_turn();
  CHECK(left == std::vector<IOLoop::Duration>{5s, 250ms, 24h * 365, 3s, -3s});
}

TEST_CASE("a timeout of zero, below zero or not a number has passed (LCK-01)", "[deadline]") {
  TestLoop loop;
  bool passed = false;
  loop.add_callback([&] {
    passed = Deadline(0s).when() == loop.time() && Deadline(-1ns).when() == loop.time() &&
             Deadline(std::chrono::hours::min()).when() == loop.time() &&
             Deadline(std::chrono::duration<double>(std::nan(""))).when() == loop.time();
  });
  loop.run_turn();
  CHECK(passed);
}

TEST_CASE("a timeout too long for the clock never passes", "[deadline]") {
  TestLoop loop;
  CHECK(Deadline(std::chrono::hours::max()).never());
  CHECK(Deadline(IOLoop::Duration::max()).never());
  CHECK(Deadline(std::chrono::duration<double>(HUGE_VAL)).never());
  CHECK(Deadline(IOLoop::TimePoint::max()).never());
  CHECK_FALSE(Deadline(std::chrono::years(99)).never());
}

}  // namespace
}  // namespace squall::deadline_test
