#include <squall/ioloop/sync/lock.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/test_loop.h"

namespace squall::lock_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::message_thrown;
using testing::TestLoop;
using testing::throws;

Task<bool> acquire(Lock& lock, Deadline deadline) {
  const Permit permit = co_await lock.acquire(deadline);
  co_return static_cast<bool>(permit);
}
Task<> hold(Lock& lock, std::vector<int>& out, int value, std::optional<Live> = {}) {
  const Permit permit = co_await lock.acquire();
  out.push_back(value);
  co_await moment();
  out.push_back(-value);
}

TEST_CASE("a lock lets one in at a time, in the order they came (LCK-02, LCK-50)", "[lock]") {
  TestLoop loop;
  Lock lock;
  std::vector<int> out;
  for (int i = 1; i <= 3; ++i) loop.spawn(hold(lock, out, i));
  loop.run_until([&] { return out.size() == 6; });
  CHECK(out == std::vector<int>{1, -1, 2, -2, 3, -3});
  loop.run_turn();
  CHECK_FALSE(lock.locked());
}

TEST_CASE("a lock is not re-entrant (LCK-50)", "[lock]") {
  TestLoop loop;
  Lock lock;
  const Permit outer = lock.try_acquire();
  CHECK(outer);
  CHECK_FALSE(lock.try_acquire());
  CHECK(loop.run(throws<TimeoutError>(acquire(lock, 1ms))));
}

TEST_CASE("releasing an unlocked lock is an error (LCK-50)", "[lock]") {
  TestLoop loop;
  Lock lock;
  CHECK_THROWS_WITH(lock.release(), "release unlocked lock");
  CHECK_THROWS_AS(lock.release(), std::logic_error);
  lock.try_acquire().detach();
  CHECK(lock.locked());
  lock.release();
  CHECK_FALSE(lock.locked());
}

TEST_CASE("a lock that takes too long to get throws TimeoutError (LCK-01)", "[lock]") {
  TestLoop loop;
  Lock lock;
  Permit permit = lock.try_acquire();
  CHECK(loop.run(message_thrown<TimeoutError>(acquire(lock, 0s))) == "Timeout");
  CHECK(loop.run(throws<TimeoutError>(acquire(lock, loop.time() + 1ms))));
  permit.release();
  CHECK(loop.run(acquire(lock, 0s)));
  CHECK_FALSE(lock.locked());
}

TEST_CASE(
    "a lock goes on to the next when a task is destroyed that waits for it, was promised it or holds it",
    "[lock]") {
  for (const int state : {0, 1, 2}) {
    CAPTURE(state);
    TestLoop loop;
    Lock lock;
    std::vector<int> out;
    std::optional<Permit> permit = lock.try_acquire();
    TaskGroup doomed(loop);
    doomed.add(hold(lock, out, 1, Live()));
    loop.spawn(hold(lock, out, 2));
    CHECK(lock.waiters() == 2);
    if (state >= 1) permit.reset();
    if (state >= 2) loop.run_turn();
    CHECK(out.size() == (state == 2 ? 1 : 0));
    doomed.destroy();
    CHECK(Live::count == 0);
    permit.reset();
    CHECK(lock.locked());
    CHECK(lock.waiters() == 0);
    loop.run_turn();
    CHECK(out.back() == 2);
  }
}

TEST_CASE("to_string() of a lock has its state and waiters (LCK-60)", "[lock]") {
  TestLoop loop;
  Lock lock;
  CHECK(lock.to_string() == "<Lock [unlocked]>");
  const Permit permit = lock.try_acquire();
  CHECK(lock.to_string() == "<Lock [locked]>");
  std::vector<int> out;
  TaskGroup group(loop);
  group.add(hold(lock, out, 1));
  CHECK(lock.to_string() == "<Lock [locked,waiters:1]>");
  group.destroy();
}

}  // namespace
}  // namespace squall::lock_test
