// Broken rules that are errors in every build.
#include <squall/ioloop/coro/async_generator.h>
#include <squall/ioloop/coro/multi.h>
#include <squall/ioloop/coro/race.h>
#include <squall/ioloop/coro/wait_iterator.h>
#include <squall/ioloop/coro/with_timeout.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/loop/task_group.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "support/test_loop.h"

namespace squall::coro_misuse_test {
namespace {

using namespace std::chrono_literals;
using testing::TestLoop;
using testing::throws;

Task<> waits() { co_await moment(); }
Task<> waits_long() { co_await sleep(std::chrono::hours(1)); }
Task<> nothing() { co_return; }
Task<> counts(int& begun) {
  ++begun;
  co_await moment();
}
template <class A>
Task<> await(A awaited) {
  co_await std::move(awaited);
}

Task<> refuse_empty_children(int& begun) {
  std::vector<Task<>> some;
  some.push_back(counts(begun));
  some.emplace_back();
  bool refused = co_await throws<std::logic_error>(await(multi(std::move(some))));
  CHECK(refused);
  refused = co_await throws<std::logic_error>(await(multi(counts(begun), Task<>())));
  CHECK(refused);
  refused = co_await throws<std::logic_error>(await(race(counts(begun), Task<>())));
  CHECK(refused);
}

TEST_CASE("multi() and race() with a task that was moved from throw std::logic_error, and start none",
          "[misuse]") {
  TestLoop loop;
  int begun = 0;
  loop.run(refuse_empty_children(begun));
  CHECK(begun == 0);
}

TEST_CASE("with_timeout() of a task that was moved from throws std::logic_error", "[misuse]") {
  TestLoop loop;
  CHECK_THROWS_AS(with_timeout(1s, Task<>()), std::logic_error);
}

Task<> next_of(WaitIterator<void>& iterator) { co_await iterator.next(); }

TEST_CASE("a WaitIterator refuses a task that was moved from, and a second coroutine in next()", "[misuse]") {
  TestLoop loop;
  WaitIterator<void> iterator;
  CHECK_THROWS_AS(iterator.add(Task<>()), std::logic_error);
  CHECK(iterator.done());
  iterator.add(waits());
  TaskGroup group;
  group.add(next_of(iterator));
  const auto second = [](WaitIterator<void>& from) -> Task<> {
    const bool refused = co_await throws<std::logic_error>(next_of(from));
    CHECK(refused);
  };
  loop.run(second(iterator));
  group.destroy();
}

TEST_CASE("a WaitIterator refuses a second coroutine also while a result waits for the first", "[misuse]") {
  TestLoop loop;
  WaitIterator<void> iterator;
  iterator.add(waits_long());
  TaskGroup group;
  group.add(next_of(iterator));
  const auto second = [](WaitIterator<void>& from) -> Task<> {
    from.add(nothing());  // the first coroutine resumes in a later turn
    const bool refused = co_await throws<std::logic_error>(next_of(from));
    CHECK(refused);
  };
  loop.run(second(iterator));
  loop.run_until([&] { return group.empty(); });
}

AsyncGenerator<int> numbers() {
  co_await sleep(std::chrono::hours(1));
  co_yield 1;
}
Task<> next_number(AsyncGenerator<int>& generator) { co_await generator.next(); }

TEST_CASE(
    "an AsyncGenerator that was moved from throws std::logic_error, and so does a second coroutine in next()",
    "[misuse]") {
  TestLoop loop;
  AsyncGenerator<int> moved = numbers();
  AsyncGenerator<int> generator = std::move(moved);
  CHECK_THROWS_AS(moved.next(), std::logic_error);
  TaskGroup group;
  group.add(next_number(generator));
  const auto second = [](AsyncGenerator<int>& from) -> Task<> {
    const bool refused = co_await throws<std::logic_error>(next_number(from));
    CHECK(refused);
  };
  loop.run(second(generator));
  group.destroy();
}

}  // namespace
}  // namespace squall::coro_misuse_test
