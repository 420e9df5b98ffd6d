#include <squall/ioloop/base/sanitizer.h>
#include <squall/ioloop/coro/async_generator.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/test_loop.h"

namespace squall::async_generator_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::message_thrown;
using testing::TestLoop;
using testing::throws;

AsyncGenerator<int> count_to(int last, int turns_between, Live = {}) {
  const Live local;
  for (int i = 1; i <= last; ++i) {
    for (int turn = 0; turn < turns_between; ++turn) co_await moment();
    co_yield i;
  }
}
AsyncGenerator<std::unique_ptr<int>> pointers(int count) {
  for (int i = 0; i < count; ++i) co_yield std::make_unique<int>(i);
}
AsyncGenerator<std::string> fail_after(int values, int turns) {
  for (int i = 0; i < values; ++i) co_yield std::string(100, static_cast<char>('a' + i));
  for (int turn = 0; turn < turns; ++turn) co_await moment();
  throw std::runtime_error("the generator failed");
}
AsyncGenerator<int> twice(AsyncGenerator<int> source) {
  for (;;) {
    const std::optional<int> value = co_await source.next();
    if (!value) break;
    co_yield *value;
    co_yield *value;
  }
}
template <class T>
Task<long> sum_of(AsyncGenerator<T> generator) {
  long sum = 0;
  for (;;) {
    const std::optional<T> value = co_await generator.next();
    if (!value) co_return sum;
    if constexpr (std::is_same_v<T, int>) {
      sum += *value;
    } else {
      sum += **value;
    }
  }
}
Task<> take(AsyncGenerator<int>& generator, std::vector<int>& out, int count, Live = {}) {
  for (int i = 0; i < count; ++i) {
    const std::optional<int> value = co_await generator.next();
    if (!value) co_return;
    out.push_back(*value);
  }
}

TEST_CASE("a generator yields its values one after another, then nullopt", "[async_generator]") {
  TestLoop loop;
  CHECK(loop.run(sum_of(count_to(10, 0))) == 55);
  CHECK(loop.run(sum_of(count_to(10, 2))) == 55);
  CHECK(loop.run(sum_of(count_to(0, 0))) == 0);
  CHECK(loop.run(sum_of(pointers(5))) == 10);
  CHECK(loop.run(sum_of(twice(twice(count_to(3, 1))))) == 24);
  CHECK(Live::count == 0);
  AsyncGenerator<int> ended = count_to(1, 0);
  std::vector<int> out;
  loop.run(take(ended, out, 5));
  loop.run(take(ended, out, 5));
  CHECK(out == std::vector<int>{1});
}

TEST_CASE("a generator does not begin until next(), nor go on before the following one",
          "[async_generator]") {
  TestLoop loop;
  int made = 0;
  auto note = [](int& made) -> AsyncGenerator<int> {
    for (;;) co_yield ++made;
  };
  AsyncGenerator<int> generator = note(made);
  std::vector<int> out;
  CHECK(made == 0);
  TaskGroup group(loop);
  CHECK(group.add(take(generator, out, 2)) == nullptr);  // in no turn of the loop
  CHECK(made == 2);
  CHECK(out == std::vector<int>{1, 2});
}

TEST_CASE("next() throws the exception of the generator, and returns nullopt afterwards",
          "[async_generator]") {
  TestLoop loop;
  auto consume = [](int turns) -> Task<> {
    AsyncGenerator<std::string> generator = fail_after(2, turns);
    const std::optional<std::string> first = co_await generator.next();
    CHECK(first == std::string(100, 'a'));
    const std::optional<std::string> second = co_await generator.next();
    CHECK(second == std::string(100, 'b'));
    std::string caught;
    try {
      const std::optional<std::string> third = co_await generator.next();
      FAIL("a value came: " << *third);
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    CHECK(caught == "the generator failed");
    const std::optional<std::string> fourth = co_await generator.next();
    CHECK_FALSE(fourth);
  };
  loop.run(consume(0));
  loop.run(consume(2));
}

TEST_CASE("dropping a generator destroys its body wherever it is", "[async_generator]") {
  TestLoop loop;
  {
    const AsyncGenerator<int> never_begun = count_to(3, 1, Live());
    CHECK(Live::count > 0);
  }
  CHECK(Live::count == 0);
  {
    // At a co_yield, and moved from one object to another on the way.
    AsyncGenerator<int> generator = count_to(3, 0, Live());
    std::vector<int> out;
    loop.run(take(generator, out, 2));
    AsyncGenerator<int> other = std::move(generator);
    CHECK_FALSE(generator);  // NOLINT(bugprone-use-after-move): what this test is about
    loop.run(take(other, out, 1));
    CHECK(out == std::vector<int>{1, 2, 3});
    other = count_to(3, 0);
    CHECK(other);
  }
  CHECK(Live::count == 0);
  for (int turns = 0; turns < 5; ++turns) {
    // At a wait of its own, with the task that consumes it.
    TaskGroup group(loop);
    group.add([](AsyncGenerator<int> generator) -> Task<> {
      const long sum = co_await sum_of(std::move(generator));
      FAIL("the generator ended: " << sum);
    }(twice(count_to(1'000'000, 1, Live()))));
    for (int i = 0; i < turns; ++i) loop.run_turn();
    CHECK(Live::count > 0);
    group.destroy();
    CHECK(Live::count == 0);
  }
  CHECK_FALSE(Live::broken);
}

TEST_CASE("a value that a generator yields after its consumer was destroyed is kept for the next one",
          "[async_generator]") {
  TestLoop loop;
  AsyncGenerator<int> generator = count_to(5, 3);
  std::vector<int> out;
  const auto begin_and_destroy = [&] {
    TaskGroup group(loop);
    group.add(take(generator, out, 1));
    CHECK(group.size() == 1);
  };
  // The next one finds the body at work.
  begin_and_destroy();
  loop.run(take(generator, out, 1));
  CHECK(out == std::vector<int>{1});
  // The next one finds the value.
  begin_and_destroy();
  for (int turn = 0; turn < 5; ++turn) loop.run_turn();
  TaskGroup group(loop);
  CHECK(group.add(take(generator, out, 1)) == nullptr);
  CHECK(out == std::vector<int>{1, 2});
  auto one = [](AsyncGenerator<int>& generator) -> Task<int> {
    const std::optional<int> value = co_await generator.next();
    co_return *value;
  };
  CHECK(loop.run(throws<TimeoutError>([](Task<int> task) -> Task<> {
    const IOLoop::TimePoint passed{};
    co_await with_timeout(passed, std::move(task));
  }(one(generator)))));
  CHECK(loop.run(one(generator)) == 3);  // neither lost nor doubled
  CHECK(loop.run(sum_of(std::move(generator))) == 9);
}

AsyncGenerator<int> give(Future<int> future) {
  const int value = co_await std::move(future);
  co_yield value;
}

TEST_CASE("a second consumer of a body that is at work does not resume it", "[async_generator]") {
  TestLoop loop;
  Promise<int> promise;
  AsyncGenerator<int> generator = give(promise.get_future());
  std::vector<int> out;
  {
    TaskGroup group(loop);
    group.add(take(generator, out, 1));
  }
  TaskGroup group(loop);
  group.add(take(generator, out, 1));
  CHECK(group.size() == 1);
  promise.set_value(6);
  loop.run_turn();
  CHECK(out == std::vector<int>{6});
}

TEST_CASE("a generator destroyed while a task waits in next() never resumes it", "[async_generator]") {
  TestLoop loop;
  std::vector<int> out;
  TaskGroup group(loop);
  std::optional<AsyncGenerator<int>> generator(count_to(3, 1));
  group.add(take(*generator, out, 3));
  generator.reset();
  loop.run_turn();
  loop.run_turn();
  CHECK(out.empty());
  CHECK(group.size() == 1);
}

TEST_CASE("a million values pass in constant stack", "[async_generator]") {
  TestLoop loop;
  constexpr int kCount = kThreadSanitizer ? 2'000 : 1'000'000;
  CHECK(loop.run(sum_of(count_to(kCount, 0))) == static_cast<long>(kCount) * (kCount + 1) / 2);
  CHECK(loop.run(sum_of(twice(count_to(kCount / 2, 0)))) == static_cast<long>(kCount / 2) * (kCount / 2 + 1));
}

}  // namespace
}  // namespace squall::async_generator_test
