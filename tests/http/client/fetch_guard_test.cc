#include <squall/http/client/fetch_guard.h>
#include <squall/ioloop.h>

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "support/test_loop.h"

namespace squall::http::fetch_guard_test {
namespace {

using namespace std::chrono_literals;
using testing::TestLoop;
using State = FetchGuard::State;

Task<> a_moment() { co_await moment(); }
Task<> wait_for_ever() {
  Event never;
  co_await never.wait();
}

struct AtEnd {
  std::function<void()> function;
  ~AtEnd() { function(); }
};
Task<> wait_for_ever_and(std::function<void()> at_end) {
  const AtEnd end{std::move(at_end)};
  Event never;
  co_await never.wait();
}

Task<> run(FetchGuards& guards, IOLoop::Duration limit, Task<> work, std::optional<State>& outcome) {
  FetchGuard guard(guards);
  guard.set_deadline(guards.loop().time() + limit);
  const State state = co_await guard.run(std::move(work));
  outcome = state;
}

}  // namespace

TEST_CASE("work is destroyed at its deadline, and the work of other guards continues", "[fetch_guard]") {
  TestLoop loop;
  FetchGuards guards(loop);
  TaskGroup group(loop);
  std::optional<State> late;
  std::optional<State> early;
  std::optional<State> ended;
  group.add(run(guards, 1h, wait_for_ever(), late));
  group.add(run(guards, 10ms, wait_for_ever(), early));
  group.add(run(guards, 1h, a_moment(), ended));
  loop.run_until([&] { return early.has_value(); });
  CHECK(early == State::timed_out);
  CHECK(ended == State::ended);
  CHECK(!late);
  guards.close_all();
  loop.run_until([&] { return late.has_value(); });
  CHECK(late == State::closed);
  CHECK(guards.empty());
}

TEST_CASE("a guard that begins while another one times out keeps its deadline", "[fetch_guard]") {
  TestLoop loop;
  FetchGuards guards(loop);
  TaskGroup group(loop);
  std::optional<State> late;
  std::optional<State> first;
  std::optional<State> second;
  group.add(run(guards, 1h, wait_for_ever(), late));
  group.add(run(guards, 10ms,
                wait_for_ever_and([&] { group.add(run(guards, 20ms, wait_for_ever(), second)); }), first));
  loop.run_until([&] { return second.has_value(); });
  CHECK(first == State::timed_out);
  CHECK(second == State::timed_out);
  CHECK(!late);
  guards.close_all();
}

TEST_CASE("a guard is destroyed with its work", "[fetch_guard]") {
  TestLoop loop;
  FetchGuards guards(loop);
  TaskGroup group(loop);
  std::optional<State> outcome;
  bool is_gone = false;
  group.add(run(guards, 1h, wait_for_ever_and([&] { is_gone = true; }), outcome));
  CHECK_FALSE(guards.empty());
  group.destroy();
  CHECK(is_gone);
  CHECK(guards.empty());
}

TEST_CASE("an exception of the work comes out of the guard", "[fetch_guard]") {
  TestLoop loop;
  FetchGuards guards(loop);
  std::optional<State> outcome;
  const auto fail = []() -> Task<> {
    co_await moment();
    throw std::out_of_range("mine");
  };
  CHECK_THROWS_AS(loop.run(run(guards, 1h, fail(), outcome)), std::out_of_range);
  CHECK_FALSE(outcome);
  CHECK(guards.empty());
}

TEST_CASE("destroying the guards closes them, and their callers resume later", "[fetch_guard]") {
  TestLoop loop;
  TaskGroup group(loop);
  std::optional<State> outcome;
  {
    FetchGuards guards(loop);
    group.add(run(guards, 1h, wait_for_ever(), outcome));
  }
  CHECK_FALSE(outcome);
  loop.run_until([&] { return outcome.has_value(); });
  CHECK(outcome == State::closed);
}

}  // namespace squall::http::fetch_guard_test
