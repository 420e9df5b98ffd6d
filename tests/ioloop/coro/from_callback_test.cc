#include <squall/ioloop/coro/from_callback.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/test_loop.h"

namespace squall::from_callback_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::message_thrown;
using testing::TestLoop;
using testing::throws;

// An interface with callbacks, which the test calls.
struct Service {
  void ask(std::function<void(int)> success, std::function<void(std::string)> failure) {
    on_success = std::move(success);
    on_failure = std::move(failure);
  }
  std::function<void(int)> on_success;
  std::function<void(std::string)> on_failure;
};

Task<int> ask(Service& service, Live = {}) {
  auto start = [&](Completion<int> done) {
    service.ask(done, [done](const std::string& text) {
      done.set_exception(std::make_exception_ptr(std::runtime_error(text)));
    });
  };
  const int answer = co_await from_callback<int>(start);
  co_return answer;
}
template <class T>
Task<T> keep_completion(std::optional<Completion<T>>& kept, Live = {}) {
  auto start = [&](Completion<T> done) { kept.emplace(std::move(done)); };
  co_return co_await from_callback<T>(start);
}

TEST_CASE("from_callback returns the argument of the callback", "[from_callback]") {
  TestLoop loop;
  Service service;
  loop.add_callback([&] { service.on_success(42); });
  CHECK(loop.run(ask(service)) == 42);
  loop.add_callback([&] { service.on_failure("no answer"); });
  CHECK(loop.run(message_thrown<std::runtime_error>(ask(service))) == "no answer");
  std::optional<Completion<>> nothing;
  loop.add_callback([&] { (*nothing)(); });
  loop.run(keep_completion(nothing));
  std::optional<Completion<std::unique_ptr<int>>> pointer;
  loop.add_callback([&] { pointer->set_value(std::make_unique<int>(3)); });
  CHECK(*loop.run(keep_completion(pointer)) == 3);
}

TEST_CASE("a callback that is called at once takes no turn of the loop", "[from_callback]") {
  TestLoop loop;
  TaskGroup group(loop);
  auto at_once = []() -> Task<> {
    auto start = [](const Completion<std::string>& done) { done(std::string(100, 'x')); };
    const std::string value = co_await from_callback<std::string>(start);
    CHECK(value == std::string(100, 'x'));
  };
  CHECK(group.add(at_once()) == nullptr);
}

TEST_CASE("a callback does not resume the coroutine from within itself", "[from_callback]") {
  TestLoop loop;
  std::vector<int> out;
  TaskGroup group(loop);
  std::optional<Completion<int>> done;
  group.add([](std::optional<Completion<int>>& done, std::vector<int>& out) -> Task<> {
    const int value = co_await keep_completion(done);
    out.push_back(value);
  }(done, out));
  done->set_value(1);
  CHECK(out.empty());
  loop.run_turn();
  CHECK(out == std::vector<int>{1});
}

TEST_CASE("the first completion counts, and later ones say so", "[from_callback]") {
  TestLoop loop;
  std::optional<Completion<int>> done;
  bool first = false;
  bool second = true;
  bool third = true;
  loop.add_callback([&] {
    const Completion<int> copy = *done;
    first = copy.set_value(1);
    second = done->set_value(2);
    third = done->set_exception(std::make_exception_ptr(std::runtime_error("late")));
  });
  CHECK(loop.run(keep_completion(done)) == 1);
  CHECK(first);
  CHECK_FALSE(second);
  CHECK_FALSE(third);
}

TEST_CASE("BrokenPromise is thrown when the last completion is destroyed uncalled", "[from_callback]") {
  TestLoop loop;
  Service service;
  loop.add_callback([&] {
    service.on_success = nullptr;
    loop.add_callback([&] { service.on_failure = nullptr; });
  });
  CHECK(loop.run(throws<BrokenPromise>(ask(service))));
  auto dropped_at_once = []() -> Task<> {
    auto start = [](const Completion<>&) {};
    co_await from_callback(start);
  };
  CHECK(loop.run(throws<BrokenPromise>(dropped_at_once())));
}

TEST_CASE("an exception from start is thrown to the awaiting coroutine", "[from_callback]") {
  TestLoop loop;
  auto failing = []() -> Task<> {
    auto start = [](const Completion<>&) { throw std::invalid_argument("cannot start"); };
    co_await from_callback(start);
  };
  CHECK(loop.run(message_thrown<std::invalid_argument>(failing())) == "cannot start");
}

TEST_CASE("a value whose copy constructor throws becomes an error", "[from_callback]") {
  struct Throwing {
    Throwing() = default;
    Throwing(const Throwing&) { throw std::domain_error("no copy"); }
  };
  TestLoop loop;
  std::optional<Completion<Throwing>> done;
  loop.add_callback([&] {
    const Throwing value;
    done->set_value(value);
  });
  CHECK(loop.run(throws<std::domain_error>(keep_completion(done))));
}

TEST_CASE("a task destroyed in from_callback is not resumed by a later call", "[from_callback]") {
  TestLoop loop;
  std::optional<Completion<int>> done;
  {
    TaskGroup group(loop);
    group.add([](std::optional<Completion<int>>& done) -> Task<> {
      const int value = co_await keep_completion(done, Live());
      FAIL("resumed with " << value);
    }(done));
  }
  CHECK(Live::count == 0);
  CHECK_FALSE(done->set_value(1));
  {
    // Completed, and destroyed before it has resumed.
    TaskGroup group(loop);
    group.add([](std::optional<Completion<int>>& done) -> Task<> {
      const int value = co_await keep_completion(done, Live());
      FAIL("resumed with " << value);
    }(done));
    CHECK(done->set_value(2));
  }
  loop.run_turn();
  done.reset();
}

TEST_CASE("a completion may outlive its loop", "[from_callback]") {
  std::optional<Completion<int>> used;
  std::optional<Completion<int>> dropped;
  {
    TestLoop loop;
    for (std::optional<Completion<int>>* done : {&used, &dropped}) {
      loop.spawn([](std::optional<Completion<int>>& done) -> Task<> {
        const int value = co_await keep_completion(done);
        FAIL("resumed with " << value);
      }(*done));
    }
  }
  CHECK_FALSE(used->set_value(1));
  dropped.reset();
}

Task<int> compute_on_thread(std::vector<std::thread>& threads, int value) {
  auto start = [&](Completion<int> done) {
    threads.emplace_back([done = std::move(done), value] { done.set_value(value + 1); });
  };
  const int result = co_await from_callback<int>(start);
  co_return result;
}

TEST_CASE("a completion may be called on any thread", "[from_callback][threads]") {
  TestLoop loop;
  std::vector<std::thread> threads;
  auto add_up = [](std::vector<std::thread>& threads) -> Task<long> {
    long sum = 0;
    for (int i = 0; i < 100; ++i) sum += co_await compute_on_thread(threads, i);
    co_return sum;
  };
  CHECK(loop.run(add_up(threads)) == 5050);
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("a completion on another thread races the task's destruction, and the loop's, unharmed",
          "[from_callback][threads]") {
  std::vector<std::thread> threads;
  for (int i = 0; i < 50; ++i) {
    std::optional<TestLoop> loop(std::in_place);
    std::optional<TaskGroup> group(std::in_place, *loop);
    for (int k = 0; k < 4; ++k) {
      group->add([](std::vector<std::thread>& threads) -> Task<> {
        auto start = [&](Completion<std::string> done) {
          threads.emplace_back([done = std::move(done)]() mutable {
            const Completion<std::string> copy = done;
            {
              const Completion<std::string> gone = std::move(done);
            }
            copy.set_value(std::string(100, 'x'));
          });
        };
        const std::string value = co_await from_callback<std::string>(start);
        CHECK(value.size() == 100);
      }(threads));
    }
    for (int k = 0; k < i % 4; ++k) loop->run_turn();
    group.reset();
    loop.reset();
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("a completion destroyed on another thread causes BrokenPromise", "[from_callback][threads]") {
  TestLoop loop;
  std::thread thread;
  auto wait = [](std::thread& thread) -> Task<> {
    auto start = [&](Completion<> done) {
      thread = std::thread([done = std::move(done)]() mutable { const Completion<> gone = std::move(done); });
    };
    co_await from_callback(start);
  };
  CHECK(loop.run(throws<BrokenPromise>(wait(thread))));
  thread.join();
}

}  // namespace
}  // namespace squall::from_callback_test
