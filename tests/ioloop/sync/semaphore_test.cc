#include <squall/ioloop/sync/semaphore.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/test_loop.h"

namespace squall::semaphore_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::message_thrown;
using testing::TestLoop;
using testing::throws;

Task<bool> acquire(Semaphore& semaphore, Deadline deadline) {
  const Permit permit = co_await semaphore.acquire(deadline);
  co_return static_cast<bool>(permit);
}
// Acquires, notes that, and keeps the permit until it is destroyed.
Task<> hold(Semaphore& semaphore, std::vector<int>& out, int value, std::optional<Live> = {}) {
  const Permit permit = co_await semaphore.acquire();
  out.push_back(value);
  co_await sleep(24h);
}
Task<> hold_for_a_turn(Semaphore& semaphore, std::vector<int>& out, int value, std::optional<Live> = {}) {
  const Permit permit = co_await semaphore.acquire();
  out.push_back(value);
  co_await moment();
}
Task<> hold_or_time_out(Semaphore& semaphore, Deadline deadline, std::vector<int>& out, int value,
                        std::optional<Live> = {}) {
  std::optional<Permit> permit;
  try {
    permit = co_await semaphore.acquire(deadline);
  } catch (const TimeoutError&) {
  }
  out.push_back(permit ? value : -value);
  if (permit) co_await sleep(24h);
}

TEST_CASE("a semaphore has as many permits as it is given, one if nothing is said (LCK-30)", "[semaphore]") {
  CHECK(Semaphore().value() == 1);
  CHECK(Semaphore(0).locked());
  Semaphore semaphore(2);
  Permit first = semaphore.try_acquire();
  Permit second = semaphore.try_acquire();
  CHECK((first && second));
  CHECK(semaphore.locked());
  CHECK_FALSE(semaphore.try_acquire());
  first.release();
  CHECK_FALSE(first);
  first.release();
  CHECK(semaphore.value() == 1);
}

TEST_CASE("a semaphore refuses a negative number of permits (LCK-30)", "[semaphore]") {
  CHECK_THROWS_AS(Semaphore(-1), std::invalid_argument);
  CHECK_THROWS_WITH(BoundedSemaphore(-1), "semaphore initial value must be >= 0");
}

TEST_CASE("a permit moves, and is given back once", "[semaphore]") {
  Semaphore semaphore(2);
  {
    Permit a = semaphore.try_acquire();
    Permit b = std::move(a);
    CHECK_FALSE(a);  // NOLINT(bugprone-use-after-move): that is the question
    CHECK(semaphore.value() == 1);
    a = semaphore.try_acquire();
    CHECK(semaphore.value() == 0);
    a = std::move(b);  // gives back the one it held
    CHECK(semaphore.value() == 1);
  }
  CHECK(semaphore.value() == 2);
}

TEST_CASE("a detached permit stays taken until release() (LCK-30)", "[semaphore]") {
  BoundedSemaphore semaphore(1);
  semaphore.try_acquire().detach();
  CHECK(semaphore.locked());
  semaphore.release();
  CHECK(semaphore.value() == 1);
}

TEST_CASE("release() adds a permit, whether or not one was acquired (LCK-30)", "[semaphore]") {
  TestLoop loop;
  Semaphore semaphore(0);
  std::vector<int> out;
  loop.spawn(hold(semaphore, out, 1));
  semaphore.release();
  semaphore.release();
  CHECK(semaphore.value() == 1);
  loop.run_turn();
  CHECK(out == std::vector<int>{1});
}

TEST_CASE("acquire() takes a free permit at once, and otherwise waits for its turn (LCK-02, LCK-30)",
          "[semaphore]") {
  TestLoop loop;
  Semaphore semaphore(2);
  std::vector<int> out;
  TaskGroup group(loop);
  for (int i = 1; i <= 5; ++i) group.add(hold_for_a_turn(semaphore, out, i));
  CHECK(out == std::vector<int>{1, 2});
  CHECK(semaphore.waiters() == 3);
  loop.run_until([&] { return group.empty(); });
  CHECK(out == std::vector<int>{1, 2, 3, 4, 5});
  CHECK(semaphore.value() == 2);
}

TEST_CASE("a released permit goes to the waiting coroutine, and no other one overtakes it", "[semaphore]") {
  TestLoop loop;
  Semaphore semaphore(1);
  std::vector<int> out;
  Permit permit = semaphore.try_acquire();
  loop.spawn(hold_for_a_turn(semaphore, out, 1));
  permit.release();
  CHECK(out.empty());  // never in place
  CHECK(semaphore.locked());
  CHECK_FALSE(semaphore.try_acquire());
  loop.spawn(hold_for_a_turn(semaphore, out, 2));
  loop.run_turn();
  CHECK(out == std::vector<int>{1});
  loop.run_until([&] { return out.size() == 2; });
}

TEST_CASE("an acquire that takes too long throws TimeoutError and takes nothing (LCK-01, LCK-30)",
          "[semaphore]") {
  TestLoop loop;
  Semaphore semaphore(0);
  CHECK(loop.run(message_thrown<TimeoutError>(acquire(semaphore, 1ms))) == "Timeout");
  CHECK(loop.run(throws<TimeoutError>(acquire(semaphore, 0s))));
  CHECK(loop.run(throws<TimeoutError>(acquire(semaphore, loop.time() - 1s))));
  CHECK(semaphore.waiters() == 0);
  semaphore.release();
  CHECK(semaphore.value() == 1);
  CHECK(loop.run(acquire(semaphore, 0s)));  // a free permit is taken without waiting
  CHECK(semaphore.value() == 1);
}

TEST_CASE("if a release and a timeout fall into one turn, the first counts, and the permit is not lost",
          "[semaphore]") {
  TestLoop loop;
  Semaphore semaphore(0);
  std::vector<int> out;
  const auto now = loop.time();
  SECTION("released first") {
    loop.spawn(hold_or_time_out(semaphore, now, out, 1));
    loop.add_callback([&] { semaphore.release(); });
    loop.run_turn();
    loop.run_turn();
    CHECK(out == std::vector<int>{1});
    CHECK(semaphore.value() == 0);
  }
  SECTION("timed out first") {
    loop.spawn(hold_or_time_out(semaphore, now - 1s, out, 1));
    loop.call_at(now, [&] { semaphore.release(); });
    loop.run_turn();
    CHECK(out == std::vector<int>{-1});
    CHECK(semaphore.value() == 1);
  }
  SECTION("released, passed over by its deadline, destroyed") {
    TaskGroup doomed(loop);
    doomed.add(hold_or_time_out(semaphore, now, out, 1, Live()));
    loop.spawn(hold(semaphore, out, 2));
    loop.add_callback([&] { semaphore.release(); });
    loop.run_turn();
    CHECK(out.empty());
    doomed.destroy();
    CHECK(Live::count == 0);
    loop.run_turn();
    CHECK(out == std::vector<int>{2});
  }
}

TEST_CASE("a task destroyed while it waits for a permit leaves the line", "[semaphore]") {
  for (const bool timed : {false, true}) {
    CAPTURE(timed);
    TestLoop loop;
    Semaphore semaphore(0);
    std::vector<int> out;
    {
      TaskGroup group(loop);
      group.add(timed ? hold_or_time_out(semaphore, 1ms, out, 1, Live()) : hold(semaphore, out, 1, Live()));
      CHECK(semaphore.waiters() == 1);
    }
    CHECK(Live::count == 0);
    CHECK(semaphore.waiters() == 0);
    semaphore.release();
    CHECK(semaphore.value() == 1);
    loop.run([]() -> Task<> { co_await sleep(3ms); }());
    CHECK(out.empty());
  }
}

TEST_CASE("a permit promised to a task that is destroyed goes to the next in line", "[semaphore]") {
  for (const bool timed : {false, true}) {
    CAPTURE(timed);
    TestLoop loop;
    BoundedSemaphore semaphore(1);
    std::vector<int> out;
    Permit permit = semaphore.try_acquire();
    TaskGroup doomed(loop);
    doomed.add(timed ? hold_or_time_out(semaphore, 1h, out, 1, Live()) : hold(semaphore, out, 1, Live()));
    loop.spawn(hold(semaphore, out, 2));
    permit.release();
    doomed.destroy();
    CHECK(Live::count == 0);
    CHECK(semaphore.locked());
    loop.run_turn();
    CHECK(out == std::vector<int>{2});
  }
}

TEST_CASE("a permit promised to a destroyed task is free again if no other task waits", "[semaphore]") {
  TestLoop loop;
  BoundedSemaphore semaphore(2);
  Permit first = semaphore.try_acquire();
  Permit second = semaphore.try_acquire();
  std::vector<int> out;
  {
    TaskGroup doomed(loop);
    for (int i = 0; i < 4; ++i) doomed.add(hold(semaphore, out, i, Live()));
    first.release();
    second.release();
    CHECK(semaphore.locked());
  }
  CHECK(Live::count == 0);
  CHECK(semaphore.value() == 2);
  loop.run_turn();
  CHECK(out.empty());
}

TEST_CASE("a task destroyed while it holds a permit releases it", "[semaphore]") {
  TestLoop loop;
  Semaphore semaphore(1);
  std::vector<int> out;
  {
    TaskGroup group(loop);
    group.add(hold(semaphore, out, 1));
    CHECK(semaphore.locked());
  }
  CHECK(semaphore.value() == 1);
}

TEST_CASE("a semaphore may be destroyed before its waiters, which stay where they are", "[semaphore]") {
  TestLoop loop;
  auto semaphore = std::make_unique<Semaphore>(0);
  std::vector<int> out;
  TaskGroup group(loop);
  group.add(hold(*semaphore, out, 1));
  group.add(hold(*semaphore, out, 2));
  group.add(hold_or_time_out(*semaphore, 1ms, out, 3));
  semaphore->release();  // promised to the first, which has not resumed
  semaphore.reset();
  loop.run_until([&] { return !out.empty(); });
  CHECK(out == std::vector<int>{-3});  // the deadline still ends its wait
  CHECK(group.size() == 2);
}

TEST_CASE("a semaphore may be destroyed before its permits, which then give nothing back", "[semaphore]") {
  auto semaphore = std::make_unique<Semaphore>(4);
  Permit kept = semaphore->try_acquire();
  {
    const Permit first = semaphore->try_acquire();
    Permit second = semaphore->try_acquire();
    const Permit moved = std::move(second);
    semaphore->try_acquire().detach();
    CHECK(semaphore->locked());
  }
  CHECK(semaphore->value() == 2);
  Permit moved = std::move(kept);
  const Permit other = semaphore->try_acquire();
  semaphore.reset();
  CHECK_FALSE(moved);
  CHECK_FALSE(other);
}

TEST_CASE("a task that only acquires free permits lets others run", "[semaphore]") {
  TestLoop loop;
  BoundedSemaphore semaphore(1);
  bool stop = false;
  int rounds = 0;
  auto spin = [](Semaphore& semaphore, const bool& stop, int& rounds) -> Task<> {
    while (!stop) {
      const Permit permit = co_await semaphore.acquire();
      ++rounds;
    }
  };
  loop.add_callback([&] { loop.spawn(spin(semaphore, stop, rounds)); });
  loop.add_callback([&] { stop = true; });
  loop.run_turn();
  CHECK(rounds >= IOLoop::kBudget);
  CHECK(semaphore.locked());  // promised to the task whose budget was spent
  loop.run_turn();
  CHECK(rounds <= IOLoop::kBudget + 1);
  CHECK(semaphore.value() == 1);
}

TEST_CASE("a bounded semaphore refuses a release too many (LCK-40)", "[semaphore]") {
  TestLoop loop;
  BoundedSemaphore semaphore(1);
  CHECK_THROWS_WITH(semaphore.release(), "Semaphore released too many times");
  CHECK_THROWS_AS(semaphore.release(), std::logic_error);
  CHECK_FALSE(semaphore.try_release());
  CHECK(semaphore.value() == 1);
  std::vector<int> out;
  Permit permit = semaphore.try_acquire();
  TaskGroup group(loop);
  group.add(hold(semaphore, out, 1));
  permit.release();
  CHECK_FALSE(semaphore.try_release());
  CHECK_THROWS_AS(semaphore.release(), std::logic_error);  // it is promised, not acquired
  loop.run_turn();
  CHECK(out.size() == 1);
}

TEST_CASE("a permit that was released behind its back says so in the log", "[semaphore]") {
  TestLoop loop;
  BoundedSemaphore semaphore(1);
  {
    const Permit permit = semaphore.try_acquire();
    semaphore.release();
  }
  loop.log.expect("Semaphore released too many times");
  CHECK(semaphore.value() == 1);
}

TEST_CASE("to_string() of a semaphore has its permits and waiters (LCK-60)", "[semaphore]") {
  TestLoop loop;
  Semaphore semaphore(2);
  CHECK(semaphore.to_string() == "<Semaphore [unlocked,value:2]>");
  BoundedSemaphore bounded(1);
  CHECK(bounded.to_string() == "<BoundedSemaphore [unlocked,value:1]>");
  const Permit permit = bounded.try_acquire();
  CHECK(bounded.to_string() == "<BoundedSemaphore [locked]>");
  std::vector<int> out;
  TaskGroup group(loop);
  group.add(hold(bounded, out, 1));
  CHECK(bounded.to_string() == "<BoundedSemaphore [locked,waiters:1]>");
  group.destroy();
}

}  // namespace
}  // namespace squall::semaphore_test
