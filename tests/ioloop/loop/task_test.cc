#include <squall/ioloop/base/sanitizer.h>
#include <squall/ioloop/loop/task.h>

#include <memory>
#include <string>

#include "support/test_loop.h"

namespace squall::task_test {
namespace {

using testing::Live;
using testing::TestLoop;
using testing::throws;

// Waits until the test resumes it.
struct Gate {
  std::coroutine_handle<> waiting;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept { waiting = coroutine; }
  void await_resume() const noexcept {}
};
struct GateRef {
  Gate& gate;
  explicit GateRef(Gate& gate) noexcept : gate(gate) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept { gate.waiting = coroutine; }
  void await_resume() const noexcept {}
};

Task<int> note_and_return(bool& begun, int value) {
  begun = true;
  co_return value;
}
Task<std::unique_ptr<int>> make_pointer(int value) { co_return std::make_unique<int>(value); }
Task<int&> refer_to(int& value) { co_return value; }
Task<> fail(std::string text) {
  throw std::runtime_error(text);
  co_return;
}
Task<int> leaf(int value) { co_return value; }
Task<> wait_at(Gate& gate, Live) {
  const Live local;
  co_await GateRef(gate);
}
Task<> wait_deeply(Gate& gate, int depth) {
  const Live local;
  if (depth == 0) {
    co_await wait_at(gate, Live());
  } else {
    co_await wait_deeply(gate, depth - 1);
  }
}

TEST_CASE("a task does not begin until it is awaited", "[task]") {
  TestLoop loop;
  bool begun = false;
  {
    const Task<int> dropped = note_and_return(begun, 1);
  }
  CHECK_FALSE(begun);
  Task<int> task = note_and_return(begun, 42);
  CHECK_FALSE(begun);
  CHECK(loop.run(std::move(task)) == 42);
  CHECK(begun);
}

TEST_CASE("a task returns move-only values, and references", "[task]") {
  TestLoop loop;
  CHECK(*loop.run(make_pointer(7)) == 7);
  int value = 1;
  loop.run(refer_to(value)) = 5;
  CHECK(value == 5);
}

TEST_CASE("awaiting a task throws the exception of the task", "[task]") {
  TestLoop loop;
  CHECK_THROWS_WITH(loop.run(fail("boom")), "boom");
  CHECK(loop.run(throws<std::runtime_error>(fail("boom"))));
}

TEST_CASE("a task that was moved from or reset is false", "[task]") {
  bool begun = false;
  Task<int> task = note_and_return(begun, 1);
  CHECK(task);
  Task<int> other = std::move(task);
  CHECK_FALSE(task);  // NOLINT(bugprone-use-after-move): what this test is about
  other.reset();
  CHECK_FALSE(other);
  CHECK_FALSE(Task<int>());
  CHECK_FALSE(begun);
}

Task<long> sum_leaves(int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await leaf(1);
  co_return sum;
}

TEST_CASE("a loop over tasks that never wait runs in constant stack", "[task]") {
  TestLoop loop;
  // 8 MiB of stack would hold some 50,000 resumptions. TSan's instrumentation undoes the sibling call.
  constexpr int kCount = kThreadSanitizer ? 5'000 : 1'000'000;
  CHECK(loop.run(sum_leaves(kCount)) == kCount);
}

struct Owner final : detail::TaskOwner {
  std::coroutine_handle<> task_ended(std::size_t) noexcept override {
    ended = true;
    return std::noop_coroutine();
  }
  bool ended = false;
};

TEST_CASE("dropping a suspended chain of tasks destroys every frame, once", "[task]") {
  REQUIRE(Live::count == 0);
  Gate gate;
  Owner owner;
  {
    Task<> task = wait_deeply(gate, 5);
    task.start(owner);
    CHECK(gate.waiting);
    CHECK(Live::count == 9);  // six locals above; in the innermost frame a local, the argument and its source
  }
  CHECK(Live::count == 0);
  CHECK_FALSE(Live::broken);
  CHECK_FALSE(owner.ended);
}

TEST_CASE("task_ended() is called when a task has ended", "[task]") {
  Gate gate;
  Owner owner;
  Task<> task = wait_at(gate, Live());
  task.start(owner);
  CHECK_FALSE(owner.ended);
  gate.waiting.resume();
  CHECK(owner.ended);
  task.result();
}

}  // namespace
}  // namespace squall::task_test
