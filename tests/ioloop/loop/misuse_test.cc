// Broken rules that are errors in every build.
#include <squall/ioloop/loop/future.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/loop/task_group.h>

#include <stdexcept>
#include <utility>

#include "support/test_loop.h"

namespace squall::misuse_test {
namespace {

using testing::TestLoop;
using testing::throws;

Task<int> number() { co_return 7; }
Task<> waits() { co_await moment(); }

Task<> await_twice() {
  Task<int> task = number();
  const int first = co_await std::move(task);
  CHECK(first == 7);
  const bool refused = co_await throws<std::logic_error>(std::move(task));
  CHECK(refused);
}
Task<> await_future(Future<int>& future) { co_await std::move(future); }
Task<> await_from_two(Task<>& task) { co_await std::move(task); }

TEST_CASE("awaiting a task that has ended is a std::logic_error", "[misuse]") {
  TestLoop loop;
  loop.run(await_twice());
}

TEST_CASE("awaiting a task that another coroutine awaits is a std::logic_error", "[misuse]") {
  TestLoop loop;
  Task<> task = waits();
  TaskGroup group;
  group.add(await_from_two(task));
  const auto second = [](Task<>& awaited) -> Task<> {
    const bool refused = co_await throws<std::logic_error>(await_from_two(awaited));
    CHECK(refused);
  };
  loop.run(second(task));
  group.destroy();
}

TEST_CASE("awaiting a task that was moved from is a std::logic_error", "[misuse]") {
  TestLoop loop;
  Task<> task = waits();
  const Task<> other = std::move(task);
  const auto await_moved = [](Task<>& moved) -> Task<> {
    const bool refused = co_await throws<std::logic_error>(await_from_two(moved));
    CHECK(refused);
  };
  loop.run(await_moved(task));
}

TEST_CASE("starting a task that was moved from or has begun is a std::logic_error", "[misuse]") {
  TestLoop loop;
  TaskGroup group;
  CHECK_THROWS_AS(IOLoop::current().spawn(Task<>()), std::logic_error);
  CHECK_THROWS_AS(group.add(Task<>()), std::logic_error);
  CHECK(group.empty());
  CHECK(IOLoop::current().stats().tasks == 0);
  Task<> begun = waits();
  group.add(await_from_two(begun));
  CHECK_THROWS_AS(group.add(std::move(begun)), std::logic_error);
  group.destroy();
}

TEST_CASE("run_sync() of a task that was moved from is a std::logic_error", "[misuse]") {
  IOLoop loop;
  CHECK_THROWS_AS(loop.run_sync(Task<>()), std::logic_error);
}

TEST_CASE("a future that was awaited or moved from is a std::logic_error", "[misuse]") {
  TestLoop loop;
  Promise<int> promise;
  Future<int> future = promise.get_future();
  promise.set_value(3);
  const auto twice = [](Future<int>& awaited) -> Task<> {
    const int value = co_await std::move(awaited);
    CHECK(value == 3);
    const bool refused = co_await throws<std::logic_error>(await_future(awaited));
    CHECK(refused);
  };
  loop.run(twice(future));
  CHECK_FALSE(future.done());
  CHECK_THROWS_AS(future.wait(), std::logic_error);
  CHECK_THROWS_AS(std::move(future).get(), std::logic_error);
  CHECK_THROWS_AS(std::move(future).on_done([](Future<int>) {}), std::logic_error);
}

TEST_CASE("a promise that was moved from is a std::logic_error", "[misuse]") {
  Promise<int> promise;
  const Promise<int> other = std::move(promise);
  CHECK_THROWS_AS(promise.set_value(1), std::logic_error);
  CHECK_THROWS_AS(promise.get_future(), std::logic_error);
  CHECK_THROWS_AS(promise.set_exception(nullptr), std::logic_error);
  CHECK_FALSE(promise.cancelled());
}

}  // namespace
}  // namespace squall::misuse_test
