#include <squall/http/client/fetch_guard.h>
#include <squall/ioloop.h>

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "support/test_loop.h"

namespace squall::http {
namespace {

using namespace std::chrono_literals;
using testing::TestLoop;
using Outcome = FetchGuard::Outcome;

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

Task<> fetch(FetchGuards& guards, IOLoop::Duration limit, Task<> work, std::optional<Outcome>& outcome) {
  FetchGuard* place = nullptr;
  FetchGuard guard(guards, std::move(work), place);
  place->set_deadline(guards.loop().time() + limit);
  const Outcome ended = co_await guard;
  outcome = ended;
}

}  // namespace

TEST_CASE("work is destroyed at its deadline, and others' go on", "[fetch_guard]") {
  TestLoop loop;
  FetchGuards guards(loop);
  TaskGroup group(loop);
  std::optional<Outcome> late;
  std::optional<Outcome> early;
  std::optional<Outcome> ended;
  group.add(fetch(guards, 1h, wait_for_ever(), late));
  group.add(fetch(guards, 10ms, wait_for_ever(), early));
  group.add(fetch(guards, 1h, a_moment(), ended));
  loop.run_until([&] { return early.has_value(); });
  CHECK(early == Outcome::timed_out);
  CHECK(ended == Outcome::ended);
  CHECK(!late);
  guards.close_all();
  loop.run_until([&] { return late.has_value(); });
  CHECK(late == Outcome::closed);
  CHECK(guards.empty());
}

TEST_CASE("a fetch that begins as another's time runs out has a deadline of its own", "[fetch_guard]") {
  TestLoop loop;
  FetchGuards guards(loop);
  TaskGroup group(loop);
  std::optional<Outcome> late;
  std::optional<Outcome> first;
  std::optional<Outcome> second;
  group.add(fetch(guards, 1h, wait_for_ever(), late));
  group.add(fetch(guards, 10ms,
                  wait_for_ever_and([&] { group.add(fetch(guards, 20ms, wait_for_ever(), second)); }),
                  first));
  loop.run_until([&] { return second.has_value(); });
  CHECK(first == Outcome::timed_out);
  CHECK(second == Outcome::timed_out);
  CHECK(!late);
  guards.close_all();
}

}  // namespace squall::http
