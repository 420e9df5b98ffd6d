#include <squall/ioloop/coro/multi.h>
#include <squall/ioloop/coro/race.h>
#include <squall/ioloop/coro/with_timeout.h>
#include <squall/ioloop/loop/future.h>

#include <string>

#include "support/test_loop.h"

namespace squall::with_timeout_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::message_thrown;
using testing::TestLoop;
using testing::throws;

Task<std::string> slow(IOLoop::Duration delay, Live = {}) {
  co_await sleep(delay);
  co_return std::string(40, 'x');
}
Task<std::string> limited(IOLoop::Duration limit, Task<std::string> task) {
  co_return co_await with_timeout(limit, std::move(task));
}
Task<std::string> limited_at(IOLoop::TimePoint deadline, Task<std::string> task) {
  co_return co_await with_timeout(deadline, std::move(task));
}
Task<std::string> at_once() { co_return "at once"; }
Task<std::string> fail() {
  throw std::invalid_argument("failed");
  co_return "";
}
Task<> nothing() { co_return; }
Task<> limited_nothing() { co_await with_timeout(1h, nothing()); }

TEST_CASE("with_timeout returns the task's result and removes its timer (GEN-13)", "[with_timeout]") {
  TestLoop loop;
  CHECK(loop.run(limited(1h, slow(1ms))) == std::string(40, 'x'));
  CHECK(loop.run(limited(1h, at_once())) == "at once");
  loop.run(limited_nothing());
}

TEST_CASE("with_timeout throws TimeoutError and destroys the task that took too long", "[with_timeout]") {
  TestLoop loop;
  CHECK(loop.run(message_thrown<TimeoutError>(limited(1ms, slow(1h, Live())))) == "Timeout");
  CHECK(Live::count == 0);
  CHECK(loop.run(throws<TimeoutError>(limited_at(loop.time() - 1s, slow(1h)))));
}

TEST_CASE("with_timeout throws the exception of the task", "[with_timeout]") {
  TestLoop loop;
  CHECK(loop.run(throws<std::invalid_argument>(limited(1h, fail()))));
}

TEST_CASE("of nested timeouts the earlier one counts", "[with_timeout]") {
  TestLoop loop;
  CHECK(loop.run(throws<TimeoutError>(limited(1ms, limited(1h, slow(1h, Live()))))));
  CHECK(loop.run(throws<TimeoutError>(limited(1h, limited(1ms, slow(1h, Live()))))));
  CHECK(Live::count == 0);
}

TEST_CASE("a task destroyed in with_timeout takes its child and its timer with it", "[with_timeout]") {
  TestLoop loop;
  {
    TaskGroup group(loop);
    auto hold = [](Task<std::string> task) -> Task<> {
      const std::string result = co_await with_timeout(1ms, std::move(task));
      FAIL("resumed with " << result);
    };
    group.add(hold(slow(1h, Live())));
    CHECK(Live::count == 1);
  }
  CHECK(Live::count == 0);
  loop.run([]() -> Task<> { co_await sleep(3ms); }());
}

Task<std::string> slow_until(IOLoop::TimePoint when, Live = {}) {
  co_await sleep_until(when);
  co_return "in time";
}
Task<std::string> wait_for_future(Future<> future, Live = {}) {
  co_await std::move(future);
  co_return "in time";
}

TEST_CASE("with_timeout and its task due in the same batch of timers: the one armed first counts",
          "[with_timeout]") {
  TestLoop loop;
  // The timer of with_timeout is armed before the task begins to sleep.
  const auto now = loop.time();
  CHECK(loop.run(throws<TimeoutError>(limited_at(now, slow_until(now, Live())))));
  CHECK(Live::count == 0);
  // And after it here, as the sleep has an earlier deadline.
  CHECK(loop.run(limited_at(now - 1s, slow_until(now - 2s, Live()))) == "in time");
  CHECK(Live::count == 0);
  CHECK_FALSE(Live::broken);
}

TEST_CASE("a deadline that passes when the task is about to resume destroys it, and it does not resume",
          "[with_timeout]") {
  TestLoop loop;
  Promise<> promise;
  auto limited_wait = [](TestLoop& loop, Promise<>& promise) -> Task<> {
    const auto now = loop.time();
    // Runs just before the timeout, in the same batch of timers, and puts the task in the ready queue.
    auto set = [&promise] { promise.set_value(); };
    loop.call_at(now - 1s, set);
    const std::string result = co_await with_timeout(now, wait_for_future(promise.get_future(), Live()));
    FAIL("resumed with " << result);
  };
  CHECK(loop.run(throws<TimeoutError>(limited_wait(loop, promise))));
  CHECK(Live::count == 0);
  loop.run_turn();
  CHECK_FALSE(Live::broken);
}

TEST_CASE("multi, race and with_timeout take each other", "[with_timeout]") {
  TestLoop loop;
  auto limited_multi = []() -> Task<> {
    co_await with_timeout(1ms, multi(slow(1ms, Live()), slow(1h, Live())));
  };
  CHECK(loop.run(throws<TimeoutError>(limited_multi())));
  CHECK(Live::count == 0);
  auto first_of = []() -> Task<> {
    const auto first =
        co_await race(multi(sleep(1h), sleep(1ms)), with_timeout(1h, race(sleep(1h), sleep(0ms))));
    CHECK(first.index() == 1);
    CHECK(std::get<1>(first).index() == 1);
  };
  loop.run(first_of());
}

TEST_CASE("with_timeout accepts every awaitable", "[with_timeout]") {
  TestLoop loop;
  auto limited_sleep = []() -> Task<> { co_await with_timeout(1ms, sleep(1h)); };
  CHECK(loop.run(throws<TimeoutError>(limited_sleep())));
  auto limited_future = [](Future<int> future) -> Task<int> {
    co_return co_await with_timeout(1h, std::move(future));
  };
  Promise<int> promise;
  promise.set_value(4);
  CHECK(loop.run(limited_future(promise.get_future())) == 4);
}

}  // namespace
}  // namespace squall::with_timeout_test
