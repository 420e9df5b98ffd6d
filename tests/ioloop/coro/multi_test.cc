#include <squall/ioloop/base/sanitizer.h>
#include <squall/ioloop/coro/multi.h>

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "support/test_loop.h"

namespace squall::multi_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::message_thrown;
using testing::TestLoop;
using testing::throws;

// Waits for `turns` turns; does not suspend for 0.
Task<int> value_after(int turns, int value, Live = {}) {
  for (int i = 0; i < turns; ++i) co_await moment();
  co_return value;
}
Task<> note_after(int turns, std::vector<int>& out, int value, Live = {}) {
  out.push_back(-value);
  for (int i = 0; i < turns; ++i) co_await moment();
  out.push_back(value);
}
template <class Error = std::runtime_error>
Task<int> fail_after(int turns, std::string text) {
  for (int i = 0; i < turns; ++i) co_await moment();
  throw Error(text);
}
Task<> fail_at_once(std::string text) {
  throw std::runtime_error(text);
  co_return;
}
Task<> wait_for_ever(Live = {}) { co_await sleep(24h); }
Task<std::unique_ptr<int>> make_pointer(int value) {
  co_await moment();
  co_return std::make_unique<int>(value);
}
Task<int&> refer_to(int& value) { co_return value; }

std::vector<Task<int>> values(std::vector<int> turns) {
  std::vector<Task<int>> tasks;
  for (const int n : turns) tasks.push_back(value_after(n, n));
  return tasks;
}
template <class A>
Task<std::vector<A>> all(std::vector<Task<A>> tasks, std::optional<Limit> limit = std::nullopt) {
  co_return co_await multi(std::move(tasks), limit);
}
Task<> all(std::vector<Task<>> tasks, std::optional<Limit> limit = std::nullopt) {
  co_await multi(std::move(tasks), limit);
}

TEST_CASE("multi returns the values in the order of the list, not of time (GEN-20)", "[multi]") {
  TestLoop loop;
  CHECK(loop.run(all(values({5, 0, 3, 1}))) == std::vector<int>{5, 0, 3, 1});
}

TEST_CASE("multi of an empty list or map returns an empty result, without a turn of the loop (GEN-20)",
          "[multi]") {
  TestLoop loop;
  TaskGroup group(loop);
  auto empty = []() -> Task<> {
    const std::vector<int> none = co_await multi(std::vector<Task<int>>());
    CHECK(none.empty());
    const std::map<int, int> no_names = co_await multi(std::map<int, Task<int>>());
    CHECK(no_names.empty());
    co_await multi(std::vector<Task<>>());
    co_await multi();
  };
  CHECK(group.add(empty()) == nullptr);
}

TEST_CASE("multi of children that do not wait needs no turn of the loop", "[multi]") {
  TestLoop loop;
  TaskGroup group(loop);
  auto at_once = []() -> Task<> {
    std::vector<Task<int>> tasks = values({0, 0, 0});
    const std::vector<int> list = co_await multi(std::move(tasks));
    CHECK(list.size() == 3);
    const std::tuple<int, int> both = co_await multi(value_after(0, 1), value_after(0, 2));
    CHECK(both == std::tuple(1, 2));
  };
  CHECK(group.add(at_once()) == nullptr);
}

TEST_CASE("the children of multi start in order, and each runs to its first wait before the next starts",
          "[multi]") {
  TestLoop loop;
  std::vector<int> out;
  std::vector<Task<>> tasks;
  tasks.push_back(note_after(2, out, 1));
  tasks.push_back(note_after(0, out, 2));
  tasks.push_back(note_after(1, out, 3));
  loop.run(all(std::move(tasks)));
  CHECK(out == std::vector<int>{-1, -2, 2, -3, 3, 1});
}

TEST_CASE("multi returns a tuple of different types, with std::monostate for void", "[multi]") {
  TestLoop loop;
  int target = 1;
  auto mixed = [](int& target) -> Task<> {
    std::vector<int> out;
    auto results =
        co_await multi(make_pointer(1), note_after(3, out, 2), value_after(1, 3), refer_to(target));
    static_assert(
        std::is_same_v<decltype(results),
                       std::tuple<std::unique_ptr<int>, std::monostate, int, std::reference_wrapper<int>>>);
    CHECK(*std::get<0>(results) == 1);
    CHECK(std::get<2>(results) == 3);
    std::get<3>(results).get() = 7;
    CHECK(out == std::vector<int>{-2, 2});
    static_assert(std::is_void_v<AwaitResult<decltype(multi(wait_for_ever(), wait_for_ever()))>>);
    co_await multi(note_after(1, out, 4), note_after(2, out, 5));
    CHECK(out.size() == 6);
  };
  loop.run(mixed(target));
  CHECK(target == 7);
}

TEST_CASE("multi of a map returns a map with the same keys (GEN-20)", "[multi]") {
  TestLoop loop;
  auto named = []() -> Task<> {
    std::map<std::string, Task<int>> tasks;
    tasks.emplace("one", value_after(2, 1));
    tasks.emplace("two", value_after(1, 2));
    const std::map<std::string, int> results = co_await multi(std::move(tasks));
    CHECK(results.size() == 2);
    CHECK(results.at("one") == 1);
    CHECK(results.at("two") == 2);
    std::unordered_map<int, Task<std::unique_ptr<int>>> hashed;
    hashed.emplace(7, make_pointer(7));
    const std::unordered_map<int, std::unique_ptr<int>> pointers =
        co_await multi(std::move(hashed), Limit(1));
    CHECK(*pointers.at(7) == 7);
    std::map<int, Task<>> nothing;
    std::vector<int> out;
    nothing.emplace(1, note_after(2, out, 1));
    co_await multi(std::move(nothing));
    CHECK(out.size() == 2);
  };
  loop.run(named());
}

TEST_CASE("multi accepts every awaitable: futures, sleeps", "[multi]") {
  TestLoop loop;
  auto mixed = [](TestLoop& loop) -> Task<> {
    Promise<int> promise;
    Future<int> future = promise.get_future();
    auto set = [&promise] { promise.set_value(3); };
    loop.add_callback(set);
    auto results = co_await multi(std::move(future), sleep(1ms), moment());
    CHECK(std::get<0>(results) == 3);
    Promise<int> first;
    Promise<int> second;
    std::vector<Future<int>> futures;
    futures.push_back(first.get_future());
    futures.push_back(second.get_future());
    second.set_value(2);
    first.set_value(1);
    const std::vector<int> values = co_await multi(std::move(futures));
    CHECK(values == std::vector<int>{1, 2});
  };
  loop.run(mixed(loop));
}

TEST_CASE("multi waits for all and throws the first failure in the list, logging the others (GEN-21)",
          "[multi]") {
  TestLoop loop;
  std::vector<int> out;
  auto failing = [](std::vector<int>& out) -> Task<> {
    co_await multi(note_after(4, out, 1), fail_after(3, "first in the list"), fail_after(1, "first in time"),
                   fail_at_once("at the start"));
  };
  CHECK(loop.run(message_thrown<std::runtime_error>(failing(out))) == "first in the list");
  CHECK(out == std::vector<int>{-1, 1});
  const auto line = loop.log.expect("Multiple exceptions in multi: first in time");
  CHECK(line.logger == "squall.application");
  CHECK(line.level == log::Level::error);
  loop.log.expect("Multiple exceptions in multi: at the start");
  CHECK(loop.log.empty());
}

TEST_CASE("multi logs no further error of a quiet type (GEN-21)", "[multi]") {
  TestLoop loop;
  auto failing = []() -> Task<> {
    co_await multi(quiet<TimeoutError, std::logic_error>, fail_after<TimeoutError>(2, "thrown"),
                   fail_after<TimeoutError>(1, "quiet"), fail_after<std::invalid_argument>(1, "quiet too"),
                   fail_after<std::runtime_error>(1, "loud"));
  };
  CHECK(loop.run(message_thrown<TimeoutError>(failing())) == "thrown");
  loop.log.expect("loud");
  CHECK(loop.log.empty());
  auto list = []() -> Task<> {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(fail_after<TimeoutError>(i, "quiet"));
    co_await multi(quiet<TimeoutError>, std::move(tasks), Limit(2));
  };
  CHECK(loop.run(throws<TimeoutError>(list())));
  auto map = []() -> Task<> {
    std::map<int, Task<int>> tasks;
    for (int i = 0; i < 3; ++i) tasks.emplace(i, fail_after<TimeoutError>(i, "quiet"));
    co_await multi(quiet<TimeoutError>, std::move(tasks));
  };
  CHECK(loop.run(throws<TimeoutError>(map())));
}

TEST_CASE("a Limit bounds the children of multi that run concurrently", "[multi]") {
  TestLoop loop;
  int at_work = 0;
  int most = 0;
  auto counted = [](int& at_work, int& most, int turns) -> Task<int> {
    most = std::max(most, ++at_work);
    for (int i = 0; i < turns; ++i) co_await moment();
    --at_work;
    co_return turns;
  };
  std::vector<Task<int>> tasks;
  std::vector<int> expected;
  for (int i = 0; i < 100; ++i) {
    tasks.push_back(counted(at_work, most, i % 4));
    expected.push_back(i % 4);
  }
  CHECK(loop.run(all(std::move(tasks), Limit(8))) == expected);
  CHECK(most == 8);
  CHECK(at_work == 0);
  CHECK_THROWS_AS(Limit(0), std::invalid_argument);
}

TEST_CASE("after a failed child a Limit still starts the next children", "[multi]") {
  TestLoop loop;
  std::vector<int> out;
  std::vector<Task<>> tasks;
  tasks.push_back(fail_at_once("the first"));
  for (int i = 1; i <= 3; ++i) tasks.push_back(note_after(1, out, i));
  CHECK(loop.run(message_thrown<std::runtime_error>(all(std::move(tasks), Limit(1)))) == "the first");
  CHECK(out == std::vector<int>{-1, 1, -2, 2, -3, 3});
}

TEST_CASE("destroying a task in multi destroys its children wherever they are suspended", "[multi]") {
  TestLoop loop;
  for (int turns = 0; turns < 5; ++turns) {
    TaskGroup group(loop);
    auto hold = [](Live) -> Task<> {
      std::vector<int> out;
      std::vector<Task<>> tasks;
      for (int i = 0; i < 4; ++i) tasks.push_back(note_after(i + 1, out, i, Live()));
      tasks.push_back(wait_for_ever(Live()));
      tasks.push_back(wait_for_ever(Live()));  // not begun
      co_await multi(std::move(tasks), Limit(3));
      FAIL("multi ended");
    };
    group.add(hold(Live()));
    for (int i = 0; i < turns; ++i) loop.run_turn();
    CHECK(Live::count > 0);
    group.destroy();
    CHECK(Live::count == 0);
  }
  loop.run_turn();
  CHECK_FALSE(Live::broken);
}

TEST_CASE("a timeout around multi destroys its children", "[multi]") {
  TestLoop loop;
  auto limited = []() -> Task<> {
    auto both = [](Live) -> Task<> { co_await multi(wait_for_ever(Live()), wait_for_ever(Live())); };
    co_await with_timeout(1ms, both(Live()));
  };
  CHECK(loop.run(throws<TimeoutError>(limited())));
  CHECK(Live::count == 0);
}

TEST_CASE("a child of multi may cancel the group that waits for it", "[multi]") {
  TestLoop loop;
  TaskGroup group(loop);
  auto cancelling = [](TaskGroup& group, Live) -> Task<> {
    co_await moment();
    group.cancel();
  };
  auto wait = [](TaskGroup& group, auto cancelling, Live) -> Task<> {
    co_await multi(cancelling(group, Live()), wait_for_ever(Live()));
    FAIL("multi ended");
  };
  group.add(wait(group, cancelling, Live()));
  loop.run_until([&] { return group.empty(); });
  CHECK(Live::count == 0);
}

TEST_CASE("ten thousand children end correctly, with and without a Limit", "[multi]") {
  TestLoop loop;
  for (const auto limit : {std::optional<Limit>(), std::optional(Limit(10)), std::optional(Limit(1))}) {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 10'000; ++i) tasks.push_back(value_after(i % 3, i));
    const std::vector<int> results = loop.run(all(std::move(tasks), limit));
    REQUIRE(results.size() == 10'000);
    CHECK(results[9'999] == 9'999);
  }
}

Task<int> nested(int depth) {
  if (depth == 0) {
    co_await moment();
    co_return 1;
  }
  const std::tuple<int, int> both = co_await multi(nested(depth - 1), value_after(depth % 2, 1));
  co_return std::get<0>(both) + std::get<1>(both);
}
Task<long> repeated(int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) {
    const std::tuple<int, int> both = co_await multi(value_after(0, 1), value_after(0, 2));
    sum += std::get<0>(both) + std::get<1>(both);
  }
  co_return sum;
}

TEST_CASE("multi can nest a thousand deep, and repeats a hundred thousand times in constant stack",
          "[multi]") {
  TestLoop loop;
  CHECK(loop.run(nested(1'000)) == 1'001);
  constexpr int kCount = kThreadSanitizer ? 2'000 : 100'000;
  CHECK(loop.run(repeated(kCount)) == 3L * kCount);
  // Each child starts when the previous child has ended, and ends at once. They must not nest on the stack.
  std::vector<Task<int>> tasks;
  for (int i = 0; i < kCount; ++i) tasks.push_back(value_after(0, i));
  CHECK(loop.run(all(std::move(tasks), Limit(1))).size() == kCount);
}

}  // namespace
}  // namespace squall::multi_test
