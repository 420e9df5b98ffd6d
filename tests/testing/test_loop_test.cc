#include <squall/testing/test_loop.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/testing/virtual_clock.h>

#include <stdexcept>

#include "support/catch.h"
#include "support/environment_variable.h"

namespace squall::test_loop_test {
namespace {

using namespace std::chrono_literals;
using testing::EnvironmentVariable;
using testing::TestLoop;
using testing::VirtualClock;

Task<int> value_later(int value) {
  co_await moment();
  co_return value;
}
Task<> fail_later() {
  co_await moment();
  throw std::runtime_error("failed");
}
Task<> never() {
  for (;;) co_await sleep(1h);
}

TEST_CASE("run returns a task's value, or throws its exception (TST-12)", "[test_loop]") {
  TestLoop loop;
  CHECK(loop.run(value_later(7)) == 7);
  CHECK_THROWS_WITH(loop.run(fail_later()), "failed");
}

TEST_CASE("patience is 5 s, or as long as ASYNC_TEST_TIMEOUT says (TST-01)", "[test_loop]") {
  EnvironmentVariable variable("ASYNC_TEST_TIMEOUT");
  CHECK(TestLoop::patience() == 5s);
  variable.set("0.25");
  CHECK(TestLoop::patience() == 250ms);
  for (const char* nonsense : {"soon", "", "1x", "-1"}) {
    variable.set(nonsense);
    CHECK(TestLoop::patience() == 5s);
  }
}

TEST_CASE("a task that does not end is a TimeoutError, by the real clock (TST-04, TST-12)", "[test_loop]") {
  const EnvironmentVariable variable("ASYNC_TEST_TIMEOUT", "0.02");
  VirtualClock clock;
  for (const bool is_virtual : {false, true}) {
    TestLoop loop({.time_source = is_virtual ? &clock : nullptr});
    CHECK_THROWS_WITH(loop.run(never()), "Async operation timed out after 0.02 seconds");
    CHECK_THROWS_AS(loop.run_until([] { return false; }), TimeoutError);
    CHECK_THROWS_AS(loop.wait(), TimeoutError);
  }
}

TEST_CASE("run says so if the loop is stopped before the task has ended", "[test_loop]") {
  TestLoop loop;
  loop.call_later(1ms, [&] { loop.stop(); });
  CHECK_THROWS_WITH(loop.run(never()), "Event loop stopped before Future completed.");
}

TEST_CASE("run_until runs turns until its condition holds, or throws TimeoutError (TST-04)", "[test_loop]") {
  TestLoop loop;
  int count = 0;
  loop.run_until([&] { return ++count == 10; });
  CHECK(count == 10);
}

TEST_CASE("wait runs until stop, which may have come first; several times a test (TST-04)", "[test_loop]") {
  TestLoop loop;
  loop.stop();
  loop.wait();
  bool ran = false;
  loop.call_later(1ms, [&] {
    ran = true;
    loop.stop();
  });
  loop.wait();
  CHECK(ran);
}

TEST_CASE("an unexpected warning fails the test", "[test_loop]") {
  const auto logs = [] {
    TestLoop loop;
    loop.add_callback([] { throw std::runtime_error("lost"); });
    loop.run_turn();
  };
  CHECK_THROWS_WITH(logs(), "logged, and not expected:\n  squall.application: Exception in callback: lost");
}

}  // namespace
}  // namespace squall::test_loop_test
