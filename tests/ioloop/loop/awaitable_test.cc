#include <squall/ioloop/coro/from_callback.h>
#include <squall/ioloop/loop/awaitable.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/test_loop.h"

// A library that knows nothing of this one.
namespace other {

template <class T>
class Future {
 public:
  struct State {
    std::function<void(T)> listener;
  };
  explicit Future(std::shared_ptr<State> state) : state_(std::move(state)) {}
  void then(std::function<void(T)> listener) { state_->listener = std::move(listener); }

 private:
  std::shared_ptr<State> state_;
};

// Awaitable as the language has it.
struct Ready {
  int value;
};
struct ReadyAwaiter {
  explicit ReadyAwaiter(int value) noexcept : value(value) {}
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  int await_resume() const noexcept { return value; }
  int value;
};
inline ReadyAwaiter operator co_await(Ready ready) noexcept { return ReadyAwaiter(ready.value); }

struct NotAwaitable {};

}  // namespace other

template <class T>
struct squall::AwaitAdapter<other::Future<T>> {
  static squall::Task<T> convert(other::Future<T> future) {
    auto start = [&](squall::Completion<T> done) { future.then(std::move(done)); };
    co_return co_await squall::from_callback<T>(start);
  }
};

// Waits on a thread: a std::future has no callback.
template <class T>
struct squall::AwaitAdapter<std::future<T>> {
  struct Start {
    void operator()(squall::Completion<T> done) && {
      std::thread([done = std::move(done), future = std::move(future)]() mutable {
        try {
          done.set_value(future.get());
        } catch (...) {
          done.set_exception(std::current_exception());
        }
      }).detach();
    }
    std::future<T> future;
  };
  static auto convert(std::future<T> future) { return squall::from_callback<T>(Start{std::move(future)}); }
};

namespace squall::awaitable_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::TestLoop;
using testing::throws;

using ForeignState = std::shared_ptr<other::Future<int>::State>;

static_assert(Awaitable<Task<int>> && Awaitable<Future<int>> && Awaitable<SleepAwaiter>);
static_assert(Awaitable<other::Future<int>> && Awaitable<std::future<std::string>> &&
              Awaitable<other::Ready>);
static_assert(!Awaitable<other::NotAwaitable> && !Awaitable<int> && !Awaitable<std::vector<Task<>>>);
static_assert(std::is_same_v<AwaitResult<other::Future<int>>, int>);
static_assert(std::is_same_v<AwaitResult<Task<int&>>, int&> && std::is_void_v<AwaitResult<SleepAwaiter>>);

TEST_CASE("a foreign future is awaited through its AwaitAdapter (GEN-01)", "[awaitable]") {
  TestLoop loop;
  auto state = std::make_shared<other::Future<int>::State>();
  loop.add_callback([&] { state->listener(5); });
  auto wait = [](ForeignState state) -> Task<int> {
    other::Future<int> future(std::move(state));
    const int value = co_await adapt(std::move(future));
    co_return value;
  };
  CHECK(loop.run(wait(state)) == 5);
}

TEST_CASE("a type with an operator co_await needs no adapter", "[awaitable]") {
  TestLoop loop;
  auto wait = []() -> Task<int> {
    const other::Ready ready(6);
    const int here = co_await ready;
    const int in_a_task = co_await as_task(ready);
    co_return here + in_a_task;
  };
  CHECK(loop.run(wait()) == 12);
}

TEST_CASE("as_task makes a task of anything that can be awaited, and of a task itself (GEN-40)",
          "[awaitable]") {
  TestLoop loop;
  loop.run(as_task(sleep(1ms)));
  Promise<int> promise;
  Future<int> future = promise.get_future();
  promise.set_value(2);
  CHECK(loop.run(as_task(std::move(future))) == 2);
  CHECK(loop.run(as_task(as_task(other::Ready(3)))) == 3);
}

TEST_CASE("a foreign future takes part in multi, race and with_timeout", "[awaitable]") {
  TestLoop loop;
  auto state = std::make_shared<other::Future<int>::State>();
  auto both = [](ForeignState state) -> Task<> {
    auto results = co_await multi(other::Future<int>(state), moment());
    CHECK(std::get<0>(results) == 1);
  };
  loop.add_callback([&] { state->listener(1); });
  loop.run(both(state));
  auto limited = [](ForeignState state) -> Task<> {
    const int value = co_await with_timeout(1ms, other::Future<int>(state));
    FAIL("a value came: " << value);
  };
  CHECK(loop.run(throws<TimeoutError>(limited(state))));
  state->listener(2);  // no coroutine waits
}

TEST_CASE("a std::future that waits on a thread is awaited like any other", "[awaitable][threads]") {
  TestLoop loop;
  auto wait = [](bool fail) -> Task<std::string> {
    std::packaged_task<std::string()> job([fail] {
      if (fail) throw std::runtime_error("thrown on the thread");
      return std::string("from the thread");
    });
    std::future<std::string> future = job.get_future();
    std::thread thread(std::move(job));
    thread.detach();
    const std::string value = co_await adapt(std::move(future));
    co_return value;
  };
  CHECK(loop.run(wait(false)) == "from the thread");
  CHECK(loop.run(throws<std::runtime_error>(wait(true))));
}

}  // namespace
}  // namespace squall::awaitable_test
