// The forms of co_await that GCC 12 compiles correctly: a check for compiler upgrades. docs/coroutines.md
// has the forms that GCC 12 miscompiles, and await_law_test.py keeps them out of the tree.

#include <squall/ioloop/loop/task.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/test_loop.h"

namespace squall {
namespace {

using testing::Live;
using testing::TestLoop;

Task<int> by_value(Live) { co_return 1; }
Task<int> by_reference(const Live&) { co_return 1; }
Task<int> by_default(Live = Live()) { co_return 1; }
Task<bool> yes() { co_return true; }
Task<bool> no() { co_return false; }
Task<Live> make_live() { co_return Live(); }
constexpr std::string_view kTail = ": long enough to live on the heap, surely";
Task<std::string> text(std::string name) { co_return name + std::string(kTail); }
Task<> thrower(Live) {
  throw std::runtime_error("thrown");
  co_return;
}

struct Pair {
  Live live;
  int number = 1;
};
Task<Pair> make_pair() {
  Live live = co_await make_live();
  Pair pair;
  pair.live = std::move(live);
  co_return pair;
}
Task<int> take_pair(Pair) { co_return 1; }
struct Constructed {
  Constructed(Live live, int number) : live(std::move(live)), number(number) {}
  Live live;
  int number;
};
Task<int> take_constructed(Constructed) { co_return 1; }
template <class F>
Task<int> call(F function) {
  co_return function();
}

// The second destruction of a trivial aggregate has no effect.
struct Trivial {
  std::size_t size = 0;
};
Task<std::size_t> take_trivial(Trivial trivial) { co_return trivial.size; }

// Each function returns 0 if the code is correct.
Task<int> arguments() {
  int sum = co_await by_value(Live());
  sum += co_await by_reference(Live());
  sum += co_await by_default();
  sum += co_await take_constructed(Constructed(Live(), 2));
  co_return sum - 4;
}
Task<int> named_first() {
  Pair pair;
  int sum = co_await take_pair(std::move(pair));
  const Live captured;
  auto function = [captured] { return 1; };
  sum += co_await call(std::move(function));
  auto task = by_value(Live());
  sum += co_await std::move(task);
  co_return sum - 3;
}
Task<int> conditions() {
  const bool first = co_await yes();
  if (!first) co_return 1;
  const bool second = co_await no();
  if (second) co_return 2;
  int rounds = 0;
  for (;;) {
    const bool more = co_await yes();
    if (!more || ++rounds == 3) break;
  }
  const int value = first ? co_await by_value(Live()) : co_await by_default();
  co_return rounds - 3 + value - 1;
}
Task<int> results() {
  const Live live = co_await make_live();
  const Pair pair = co_await make_pair();
  std::optional<Live> maybe = co_await make_live();
  auto pointer = std::make_unique<Live>(co_await make_live());
  std::vector<Live> lives;
  lives.push_back(co_await make_live());
  lives.emplace_back(co_await make_live());
  const int sum = co_await by_value(co_await make_live());
  co_return sum + pair.number - 2;
}
Task<int> strings() {
  std::string all = (co_await text("a")) + (co_await text("b"));
  all += co_await text("c");
  co_return all.size() == 3 * (kTail.size() + 1) ? 0 : 1;
}
Task<int> exceptions() {
  int caught = 0;
  for (int i = 0; i < 3; ++i) {
    bool failed = false;
    try {
      const Live local;
      co_await thrower(Live());
    } catch (const std::runtime_error&) {
      failed = true;
    }
    if (failed) caught += co_await by_value(Live());
  }
  co_return caught - 3;
}
Task<int> lambdas() {
  auto plain = [](Live) -> Task<int> { co_return 1; };
  const Live captured;
  auto capturing = [captured](Live) -> Task<int> { co_return 1; };
  int sum = co_await plain(Live());
  sum += co_await capturing(Live());
  co_return sum - 2;
}
Task<int> trivial_aggregates() {
  const std::size_t size = co_await take_trivial({.size = 7});  // lint: the aggregate is trivial
  co_return static_cast<int>(size) - 7;
}

// Destroyed while it waits, in every frame of the chain.
struct Never {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  void await_resume() const noexcept {}
};
Task<int> wait_with(Live, const Live&) {
  const Live local;
  co_await Never();
  co_return 1;
}
Task<int> wait_by_temporaries() {
  const Live local;
  co_return co_await wait_with(Live(), Live());
}
Task<int> wait_by_name() {
  const Live local;
  auto task = wait_by_temporaries();
  try {
    const int result = co_await std::move(task);
    co_return result;
  } catch (const std::exception&) {
    co_return 2;
  }
}
struct Owner final : detail::TaskOwner {
  std::coroutine_handle<> task_ended(std::size_t) noexcept override { return std::noop_coroutine(); }
};

TEST_CASE("the compiler compiles the allowed forms of co_await correctly", "[canary]") {
  TestLoop loop;
  REQUIRE(Live::count == 0);
  CHECK(loop.run(arguments()) == 0);
  CHECK(loop.run(named_first()) == 0);
  CHECK(loop.run(conditions()) == 0);
  CHECK(loop.run(results()) == 0);
  CHECK(loop.run(strings()) == 0);
  CHECK(loop.run(exceptions()) == 0);
  CHECK(loop.run(lambdas()) == 0);
  CHECK(loop.run(trivial_aggregates()) == 0);
  CHECK(Live::count == 0);
  CHECK_FALSE(Live::broken);
}

TEST_CASE("the compiler destroys a suspended chain of frames completely and once", "[canary]") {
  REQUIRE(Live::count == 0);
  Owner owner;
  {
    Task<int> by_temporaries = wait_by_temporaries();
    by_temporaries.start(owner);
    Task<int> by_name = wait_by_name();
    by_name.start(owner);
    CHECK(Live::count > 0);
  }
  CHECK(Live::count == 0);
  CHECK_FALSE(Live::broken);
}

}  // namespace
}  // namespace squall
