#include <squall/ioloop/coro/wait_iterator.h>

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "support/test_loop.h"

namespace squall::wait_iterator_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::TestLoop;

Task<int> value_after(int turns, int value, Live = {}) {
  for (int i = 0; i < turns; ++i) co_await moment();
  co_return value;
}
Task<int> fail_after(int turns, std::string text) {
  for (int i = 0; i < turns; ++i) co_await moment();
  throw std::runtime_error(text);
}
Task<> end_after(int turns) {
  for (int i = 0; i < turns; ++i) co_await moment();
}
std::vector<Task<int>> values(std::vector<int> turns) {
  std::vector<Task<int>> tasks;
  for (const int n : turns) tasks.push_back(value_after(n, n, Live()));
  return tasks;
}
template <class Iterator>
Task<> take_all(Iterator& results, std::vector<int>& out, Live = {}) {
  while (!results.done()) {
    const int value = co_await results.next();
    out.push_back(value);
  }
}

TEST_CASE("results come in the order in which tasks end, with their index (GEN-31)", "[wait_iterator]") {
  TestLoop loop;
  auto iterate = []() -> Task<> {
    WaitIterator results(values({3, 1, 0, 2}));
    std::vector<std::size_t> indexes;
    std::vector<int> values;
    CHECK(results.size() == 4);
    while (!results.done()) {
      const int value = co_await results.next();
      values.push_back(value);
      indexes.push_back(results.current_index());
    }
    CHECK(values == std::vector<int>{0, 1, 2, 3});
    CHECK(indexes == std::vector<std::size_t>{2, 1, 3, 0});
    CHECK(results.size() == 0);
    CHECK_THROWS_AS(results.next(), std::logic_error);
  };
  loop.run(iterate());
  CHECK(Live::count == 0);
}

TEST_CASE("the tasks of a map go by their names (GEN-30)", "[wait_iterator]") {
  TestLoop loop;
  auto iterate = []() -> Task<> {
    std::map<std::string, Task<int>> tasks;
    tasks.emplace("slow", value_after(2, 1));
    tasks.emplace("fast", value_after(1, 2));
    WaitIterator results(std::move(tasks));
    std::string order;
    while (!results.done()) {
      const int value = co_await results.next();
      order += results.current_index() + "=" + std::to_string(value) + " ";
    }
    CHECK(order == "fast=2 slow=1 ");
    std::unordered_map<int, Task<>> hashed;
    hashed.emplace(7, end_after(1));
    WaitIterator ends(std::move(hashed));
    co_await ends.next();
    CHECK(ends.current_index() == 7);
    CHECK(ends.done());
  };
  loop.run(iterate());
}

TEST_CASE("results that come before next() are kept in order, and next() takes no turn then (GEN-31)",
          "[wait_iterator]") {
  TestLoop loop;
  WaitIterator results(values({2, 1, 1}));
  std::vector<int> out;
  loop.run(end_after(4));
  CHECK(results.size() == 3);
  TaskGroup group(loop);
  CHECK(group.add(take_all(results, out)) == nullptr);
  CHECK(out == std::vector<int>{1, 1, 2});
}

TEST_CASE("next() throws the exception of its task, and the iteration may continue (GEN-31)",
          "[wait_iterator]") {
  TestLoop loop;
  auto iterate = []() -> Task<> {
    std::vector<Task<int>> tasks;
    tasks.push_back(value_after(2, 2));
    tasks.push_back(fail_after(1, "one"));
    tasks.push_back(fail_after(0, "at the start"));
    WaitIterator results(std::move(tasks));
    std::string order;
    while (!results.done()) {
      try {
        const int value = co_await results.next();
        order += std::to_string(value);
      } catch (const std::runtime_error& error) {
        order += std::to_string(results.current_index()) + " threw: " + error.what() + ", ";
      }
    }
    CHECK(order == "2 threw: at the start, 1 threw: one, 2");
  };
  loop.run(iterate());
}

TEST_CASE("tasks may be added at any time, also by the coroutine that takes the results", "[wait_iterator]") {
  TestLoop loop;
  auto iterate = []() -> Task<> {
    WaitIterator<int> results;
    CHECK(results.done());
    CHECK(results.add(value_after(1, 0)) == 0);
    std::vector<std::size_t> order;
    while (!results.done()) {
      const int value = co_await results.next();
      order.push_back(results.current_index());
      if (value < 1000) results.add(value_after(value % 2, value + 1));
    }
    CHECK(order.size() == 1001);
    CHECK(order.back() == 1000);
    WaitIterator<int, std::string> named;
    named.add("name", value_after(0, 1));
    const int value = co_await named.next();
    CHECK(value == 1);
    CHECK(named.current_index() == "name");
  };
  loop.run(iterate());
}

TEST_CASE("a task added while another waits in next() is heard of, never from within add()",
          "[wait_iterator]") {
  TestLoop loop;
  WaitIterator results(values({1'000'000}));
  std::vector<int> out;
  TaskGroup group(loop);
  auto take_two = [](WaitIterator<int>& results, std::vector<int>& out) -> Task<> {
    for (int i = 0; i < 2; ++i) {
      const int value = co_await results.next();
      out.push_back(value);
    }
  };
  group.add(take_two(results, out));
  results.add(value_after(0, 1));
  CHECK(out.empty());
  results.add(value_after(0, 2));
  CHECK(out.empty());
  loop.run_turn();
  CHECK(out == std::vector<int>{1, 2});
  CHECK(group.empty());
}

Task<int> add_another(WaitIterator<int>& results, int left) {
  if (left > 0) results.add(add_another(results, left - 1));
  co_return left;
}

TEST_CASE("a task may add others to the iterator that runs it", "[wait_iterator]") {
  TestLoop loop;
  WaitIterator<int> results;
  std::vector<int> out;
  results.add(add_another(results, 100));
  loop.run(take_all(results, out));
  CHECK(out.size() == 101);
  CHECK(out.front() == 0);
}

TEST_CASE("destroying an iterator cancels the tasks at work", "[wait_iterator]") {
  TestLoop loop;
  for (int turns = 0; turns < 4; ++turns) {
    TaskGroup group(loop);
    auto hold = [](std::vector<int>& out) -> Task<> {
      WaitIterator results(values({1, 2, 100, 0}));
      co_await take_all(results, out, Live());
      FAIL("the iteration ended");
    };
    std::vector<int> out;
    group.add(hold(out));
    for (int i = 0; i < turns; ++i) loop.run_turn();
    CHECK(Live::count > 0);
    group.destroy();
    CHECK(Live::count == 0);
  }
  loop.run_turn();
  CHECK_FALSE(Live::broken);
}

TEST_CASE("a task destroyed in next() leaves the result to the following one", "[wait_iterator]") {
  TestLoop loop;
  WaitIterator results(values({1}));
  std::vector<int> out;
  {
    TaskGroup group(loop);
    group.add(take_all(results, out, Live()));
  }
  loop.run(end_after(3));
  loop.run(take_all(results, out));
  CHECK(out == std::vector<int>{1});
  // Destroyed when it was about to resume.
  WaitIterator more(values({1'000'000}));
  {
    TaskGroup group(loop);
    group.add(take_all(more, out, Live()));
    more.add(value_after(0, 2));
  }
  loop.run_turn();
  CHECK(out == std::vector<int>{1});
  CHECK(more.size() == 2);
}

TEST_CASE("an iterator destroyed while a task waits in next() never resumes it", "[wait_iterator]") {
  TestLoop loop;
  std::vector<int> out;
  TaskGroup group(loop);
  for (const bool woken : {false, true}) {
    std::optional<WaitIterator<int>> results(std::in_place, values({1}));
    group.add(take_all(*results, out, Live()));
    if (woken) results->add(value_after(0, 2));
    results.reset();
    loop.run_turn();
    loop.run_turn();
  }
  CHECK(group.size() == 2);
  CHECK(out.empty());
}

TEST_CASE("ten thousand tasks end in the order of their last turn", "[wait_iterator]") {
  TestLoop loop;
  std::vector<int> turns;
  for (int i = 0; i < 10'000; ++i) turns.push_back((i * 7) % 5);
  WaitIterator results(values(turns));
  std::vector<int> out;
  loop.run(take_all(results, out));
  CHECK(out.size() == 10'000);
  CHECK(std::is_sorted(out.begin(), out.end()));
  CHECK(Live::count == 0);
}

}  // namespace
}  // namespace squall::wait_iterator_test
