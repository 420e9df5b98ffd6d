#include <squall/ioloop/coro/shield.h>

#include <string>
#include <vector>

#include "support/test_loop.h"

namespace squall::shield_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::TestLoop;
using testing::throws;

Task<int> work(int turns, bool& done, Live = {}) {
  for (int i = 0; i < turns; ++i) co_await moment();
  done = true;
  co_return 7;
}
Task<> fail_after(int turns, std::string text) {
  for (int i = 0; i < turns; ++i) co_await moment();
  throw std::runtime_error(text);
}
Task<> wait_for_shielded(Task<int> task, Live = {}) {
  const int value = co_await shield(std::move(task));
  FAIL("resumed with " << value);
}
Task<> await(Future<> future) { co_await std::move(future); }

TEST_CASE("shield returns the result of the task or throws its exception", "[shield]") {
  TestLoop loop;
  auto shielded = []() -> Task<> {
    bool done = false;
    const int value = co_await shield(work(2, done));
    CHECK(value == 7);
    CHECK(done);
    const int at_once = co_await shield(work(0, done));
    CHECK(at_once == 7);
    const bool thrown = co_await throws<std::runtime_error>(await(shield(fail_after(2, "heard"))));
    CHECK(thrown);
    const bool thrown_at_once = co_await throws<std::runtime_error>(await(shield(fail_after(0, "heard"))));
    CHECK(thrown_at_once);
    co_await shield(sleep(1ms));
  };
  loop.run(shielded());
}

TEST_CASE("shielded work starts at once, and continues when the awaiting coroutine is destroyed",
          "[shield]") {
  TestLoop loop;
  for (int turns = 0; turns < 3; ++turns) {
    bool done = false;
    {
      TaskGroup group(loop);
      group.add(wait_for_shielded(work(5, done, Live()), Live()));
      for (int i = 0; i < turns; ++i) loop.run_turn();
    }
    CHECK(Live::count > 0);
    loop.run_until([&] { return done; });
    loop.run_turn();
    CHECK(Live::count == 0);
  }
  bool done = false;
  CHECK(loop.run(throws<TimeoutError>(
      [](bool& done) -> Task<> { co_await with_timeout(0ms, shield(work(50, done))); }(done))));
  CHECK_FALSE(done);
  loop.run_until([&] { return done; });
}

TEST_CASE("an exception of shielded work whose future is gone is logged, with its place", "[shield]") {
  TestLoop loop;
  // Nobody awaits it when it fails.
  {
    const Future<> dropped = shield(fail_after(1, "unheard"));
  }
  loop.run_turn();
  loop.run_turn();
  CHECK(loop.log.expect("unheard").message.find("shield_test.cc") != std::string::npos);
  // The work has failed, and the awaiting coroutine is destroyed before it resumes.
  {
    TaskGroup group(loop);
    group.add(await(shield(fail_after(1, "hardly heard"))));
    loop.run_turn();
  }
  loop.log.expect("hardly heard");
  // The work fails at once, and its future is never awaited.
  {
    const Future<> dropped = shield(fail_after(0, "not asked for"));
  }
  loop.log.expect("not asked for");
}

TEST_CASE("the destructor of a loop destroys shielded work", "[shield]") {
  Future<int> future = [] {
    TestLoop loop;
    bool done = false;
    Future<int> future = shield(work(1000, done, Live()));
    CHECK(Live::count > 0);
    return future;
  }();
  CHECK(Live::count == 0);
  CHECK(future.done());
  CHECK_THROWS_AS(std::move(future).get(), BrokenPromise);
}

}  // namespace
}  // namespace squall::shield_test
