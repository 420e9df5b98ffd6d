#include <squall/ioloop/process/run_in_executor.h>

#include <squall/ioloop/process/thread_pool.h>

#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/test_loop.h"

namespace squall::run_in_executor_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::message_thrown;
using testing::TestLoop;
using testing::throws;

int twice(int value) { return 2 * value; }
std::unique_ptr<int> boxed(std::unique_ptr<int> value) { return std::make_unique<int>(*value + 1); }
int failing() { throw std::runtime_error("no luck"); }

Task<int> twice_elsewhere(int value) { co_return co_await run_in_executor(twice, value); }
Task<int> twice_on(Executor& executor, int value) {
  co_return co_await run_in_executor(executor, twice, value);
}
// Runs any function; a parameter, because of GCC 12.
template <class Function>
Task<std::invoke_result_t<Function>> run_on(Executor& executor, Function function) {
  co_return co_await run_in_executor(executor, std::move(function));
}
template <class Function>
Task<> note_on(Executor& executor, Function function, bool& went_on, Live = {}) {
  co_await run_in_executor(executor, std::move(function));
  went_on = true;
}

ThreadPool::Options one_thread(std::size_t max_waiting = 10000) {
  ThreadPool::Options options;
  options.max_threads = 1;
  options.max_waiting = max_waiting;
  return options;
}

// Keeps the only thread of a pool busy until it is released.
class Blocker {
 public:
  explicit Blocker(Executor& executor) {
    executor.submit([state = state_] {
      state->begun.count_down();
      state->release.wait();
    });
    state_->begun.wait();
  }
  ~Blocker() { release(); }
  void release() {
    if (!std::exchange(released_, true)) state_->release.count_down();
  }

 private:
  struct State {
    std::latch begun{1};
    std::latch release{1};
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
  bool released_ = false;
};

// Tells on which thread the last of its copies was destroyed.
class Traced {
 public:
  explicit Traced(std::atomic<std::thread::id>& destroyed_on) : token_(&destroyed_on, Note()) {}
  Traced(Traced&&) noexcept = default;
  Traced& operator=(Traced&&) noexcept = default;

 private:
  struct Note {
    void operator()(std::atomic<std::thread::id>* out) const { out->store(std::this_thread::get_id()); }
  };
  std::unique_ptr<std::atomic<std::thread::id>, Note> token_;
};

TEST_CASE("run_in_executor returns the result of the function (IOL-46)", "[run_in_executor][threads]") {
  TestLoop loop;
  CHECK(loop.run(twice_elsewhere(21)) == 42);
}

Task<> follow_the_threads(std::thread::id& inside, std::thread::id& after) {
  inside = co_await run_in_executor(std::this_thread::get_id);
  after = std::this_thread::get_id();
}

TEST_CASE("the function runs on another thread, and the task resumes on the loop's",
          "[run_in_executor][threads]") {
  TestLoop loop;
  std::thread::id inside;
  std::thread::id after;
  loop.run(follow_the_threads(inside, after));
  CHECK(inside != std::this_thread::get_id());
  CHECK(after == std::this_thread::get_id());
}

TEST_CASE("an exception from the function is thrown where the result is awaited (IOL-46)",
          "[run_in_executor][threads]") {
  TestLoop loop;
  ThreadPool pool;
  CHECK(loop.run(message_thrown<std::runtime_error>(run_on(pool, failing))) == "no luck");
}

Task<std::string> results_of_every_kind() {
  std::string text;
  int counter = 0;
  // Nothing, something that only moves, and a reference.
  const auto increment = [](int* value) { ++*value; };
  co_await run_in_executor(increment, &counter);
  auto box = std::make_unique<int>(counter);
  box = co_await run_in_executor(boxed, std::move(box));
  text += std::to_string(*box);
  const auto same = [](int* value) -> int& { return *value; };
  int& reference = co_await run_in_executor(same, &counter);
  if (&reference == &counter) text += " same";
  co_return text;
}

TEST_CASE("results may be nothing, move-only or references", "[run_in_executor][threads]") {
  TestLoop loop;
  CHECK(loop.run(results_of_every_kind()) == "2 same");
}

struct Adder {
  int add(int value) const { return base + value; }
  int base = 40;
};
Task<std::string> call_in_many_ways() {
  std::string name = "copied";
  const auto append = [](std::string text, const std::string& more) { return text + more; };
  auto awaiter = run_in_executor(append, name, " and kept");
  name = "changed after the call";
  std::string text = co_await awaiter;
  const int sum = co_await run_in_executor(&Adder::add, Adder(), 2);
  text += std::to_string(sum);
  int counted = 0;
  const auto count = [](int& counter) { ++counter; };
  co_await run_in_executor(count, std::ref(counted));
  text += std::to_string(counted);
  co_return text;
}

TEST_CASE("arguments are copied when run_in_executor is called, unless wrapped by std::ref",
          "[run_in_executor][threads]") {
  TestLoop loop;
  CHECK(loop.run(call_in_many_ways()) == "copied and kept421");
}

TEST_CASE("the loop runs turns while a job runs", "[run_in_executor][threads]") {
  TestLoop loop;
  ThreadPool pool;
  std::latch turned(1);
  bool done = false;
  loop.spawn(note_on(pool, [&turned] { turned.wait(); }, done));
  for (int i = 0; i < 10; ++i) loop.run_turn();
  CHECK_FALSE(done);
  turned.count_down();
  loop.run_until([&] { return done; });
}

TEST_CASE("a dummy executor runs the job within submit(), and the task resumes in a later turn (CON-07)",
          "[run_in_executor][threads]") {
  TestLoop loop;
  DummyExecutor here;
  bool ran = false;
  bool went_on = false;
  loop.spawn(note_on(here, [&ran] { ran = true; }, went_on));
  CHECK(ran);
  CHECK_FALSE(went_on);
  loop.run_turn();
  CHECK(went_on);
  CHECK(loop.run(message_thrown<std::runtime_error>(run_on(here, failing))) == "no luck");
}

class CountingExecutor final : public Executor {
 public:
  explicit CountingExecutor(int& count) : count_(count) {}
  void submit(Callback job) override {
    ++count_;
    job();
  }

 private:
  int& count_;
};

TEST_CASE("another default executor can be set, and null makes a new pool (IOL-47)",
          "[run_in_executor][threads]") {
  TestLoop loop;
  int count = 0;
  loop.set_default_executor(std::make_shared<CountingExecutor>(count));
  CHECK(loop.run(twice_elsewhere(1)) == 2);
  CHECK(count == 1);
  CHECK(dynamic_cast<CountingExecutor*>(&loop.default_executor()));
  loop.set_default_executor(nullptr);
  CHECK(loop.run(twice_elsewhere(1)) == 2);
  CHECK(count == 1);
  CHECK(dynamic_cast<ThreadPool*>(&loop.default_executor()));
}

TEST_CASE("two loops may share an executor", "[run_in_executor][threads]") {
  const auto pool = std::make_shared<ThreadPool>();
  std::atomic<int> sum = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, pool] {
      IOLoop loop;
      loop.set_default_executor(pool);
      for (int i = 0; i < 100; ++i) sum += loop.run_sync(twice_elsewhere(i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(sum == 2 * 2 * 4950);
}

Task<> add_twice(Executor& executor, int value, int& sum, int& left) {
  sum += co_await run_in_executor(executor, twice, value);
  --left;
}

TEST_CASE("thousands of concurrent jobs all complete", "[run_in_executor][threads]") {
  TestLoop loop;
  ThreadPool pool;
  int sum = 0;
  int left = 5000;
  for (int i = 0; i < 5000; ++i) loop.spawn(add_twice(pool, i, sum, left));
  loop.run_until([&] { return left == 0; });
  CHECK(sum == 4999 * 5000);
}

TEST_CASE("a full pool is a clear error where the job is awaited", "[run_in_executor][threads]") {
  TestLoop loop;
  ThreadPool pool(one_thread(2));
  Blocker blocker(pool);
  bool done[2] = {};
  for (bool& each : done) loop.spawn(note_on(pool, [] {}, each));
  CHECK(loop.run(throws<ExecutorFullError>(twice_on(pool, 1))));
  blocker.release();
  loop.run_until([&] { return done[0] && done[1]; });
  CHECK(loop.run(twice_on(pool, 1)) == 2);
}

Task<> hold_an_awaiter(Executor& executor, Live live) {
  const auto function = [live] {};
  auto awaiter = run_in_executor(executor, function);
  co_await sleep(24h);
  co_await awaiter;
}

TEST_CASE("a job begins when it is awaited, and is destroyed with an awaiter that was never awaited",
          "[run_in_executor][threads]") {
  TestLoop loop;
  int count = 0;
  CountingExecutor executor(count);
  {
    TaskGroup group(loop);
    group.add(hold_an_awaiter(executor, Live()));
    loop.run_turn();
    CHECK(Live::count > 1);
  }
  CHECK(count == 0);
  CHECK(Live::count == 0);
}

TEST_CASE("a task destroyed before its job begins: the job never runs, and is destroyed at once",
          "[run_in_executor][threads]") {
  TestLoop loop;
  ThreadPool pool(one_thread());
  Blocker blocker(pool);
  bool ran = false;
  bool went_on = false;
  std::atomic<std::thread::id> destroyed_on;
  {
    TaskGroup group(loop);
    group.add(note_on(pool, [&ran, traced = Traced(destroyed_on)] { ran = true; }, went_on, Live()));
    loop.run_turn();
    CHECK(pool.waiting() == 1);
    CHECK(destroyed_on.load() == std::thread::id());
  }
  CHECK(Live::count == 0);
  CHECK(destroyed_on.load() == std::this_thread::get_id());
  blocker.release();
  loop.run(twice_on(pool, 1));
  CHECK_FALSE(ran);
  CHECK_FALSE(went_on);
}

TEST_CASE("a task destroyed while its job runs: the job ends, and its result is destroyed on its thread",
          "[run_in_executor][threads]") {
  std::latch begun(1);
  std::latch release(1);
  std::atomic<std::thread::id> ran_on;
  std::atomic<std::thread::id> result_on;
  std::atomic<std::thread::id> function_on;
  TestLoop loop;
  bool went_on = false;
  {
    ThreadPool pool;
    {
      TaskGroup group(loop);
      group.add(note_on(
          pool,
          [&begun, &release, &ran_on, &result_on, traced = Traced(function_on)] {
            begun.count_down();
            release.wait();
            ran_on = std::this_thread::get_id();
            return Traced(result_on);
          },
          went_on, Live()));
      begun.wait();
    }
    CHECK(Live::count == 0);
    release.count_down();
  }
  loop.run_turn();
  CHECK(ran_on.load() != std::this_thread::get_id());
  CHECK(result_on.load() == ran_on.load());
  CHECK(function_on.load() == ran_on.load());
  CHECK_FALSE(went_on);
}

TEST_CASE("a task destroyed between the end of its job and its resumption: the result is destroyed with it",
          "[run_in_executor][threads]") {
  TestLoop loop;
  std::atomic<std::thread::id> result_on;
  bool went_on = false;
  for (const bool on_a_thread : {false, true}) {
    CAPTURE(on_a_thread);
    DummyExecutor here;
    auto pool = std::make_unique<ThreadPool>();
    result_on = std::thread::id();
    {
      TaskGroup group(loop);
      group.add(note_on(
          on_a_thread ? static_cast<Executor&>(*pool) : here, [&result_on] { return Traced(result_on); },
          went_on, Live()));
      pool.reset();  // waits for the job
      CHECK(result_on.load() == std::thread::id());
    }
    CHECK(result_on.load() == std::this_thread::get_id());
    CHECK(Live::count == 0);
    loop.run_turn();
    CHECK_FALSE(went_on);
  }
}

TEST_CASE("a deadline that passes drops a job that waits for a thread", "[run_in_executor][threads]") {
  TestLoop loop;
  ThreadPool pool(one_thread());
  Blocker blocker(pool);
  bool ran = false;
  auto impatient = [](Executor& executor, bool& ran) -> Task<> {
    auto job = [&ran] { ran = true; };
    co_await with_timeout(1ms, run_on(executor, std::move(job)));
  };
  CHECK(loop.run(throws<TimeoutError>(impatient(pool, ran))));
  blocker.release();
  loop.run(twice_on(pool, 1));
  CHECK_FALSE(ran);
}

TEST_CASE("a loop may go while jobs of its tasks run on a pool that outlives it",
          "[run_in_executor][threads]") {
  ThreadPool pool;
  std::latch begun(1);
  std::latch release(1);
  std::atomic<bool> ended = false;
  bool went_on = false;
  {
    TestLoop loop;
    loop.spawn(note_on(
        pool,
        [&] {
          begun.count_down();
          release.wait();
          ended = true;
        },
        went_on, Live()));
    begun.wait();
  }
  CHECK(Live::count == 0);
  CHECK_FALSE(ended);
  release.count_down();
  while (!ended) std::this_thread::yield();
  CHECK_FALSE(went_on);
}

// Holds a latch down for as long as it lives.
class Held {
 public:
  explicit Held(std::latch& latch) : latch_(&latch, [](std::latch* latch) { latch->count_down(); }) {}

 private:
  std::unique_ptr<std::latch, void (*)(std::latch*)> latch_;
};
template <class Function>
Task<> run_holding(Executor& executor, Function function, Held) {
  co_await run_in_executor(executor, std::move(function));
}

TEST_CASE("the destructor of a loop waits for the running jobs of its default executor, and skips the others",
          "[run_in_executor][threads]") {
  std::latch begun(1);
  std::latch task_is_gone(1);
  std::atomic<bool> ended = false;
  bool skipped = true;
  bool went_on = false;
  {
    TestLoop loop;
    loop.set_default_executor(std::make_shared<ThreadPool>(one_thread()));
    Executor& executor = loop.default_executor();
    auto job = [&] {
      begun.count_down();
      task_is_gone.wait();
      ended = true;
    };
    loop.spawn(run_holding(executor, job, Held(task_is_gone)));
    begun.wait();
    loop.spawn(note_on(executor, [&skipped] { skipped = false; }, went_on));
    // A job that knows nothing of tasks may still speak to the loop.
    executor.submit([&loop] { loop.add_callback([live = Live()] {}); });
  }
  CHECK(ended);
  CHECK(skipped);
  CHECK_FALSE(went_on);
  CHECK(Live::count == 0);
}

// A job that takes now nothing, now a little, and now throws.
struct Work {
  explicit Work(int number) : number(number) {}
  std::unique_ptr<int> operator()() const {
    for (int i = 0; i < number % 50; ++i) std::this_thread::yield();
    if (number % 7 == 0) throw std::runtime_error("seventh");
    return std::make_unique<int>(number);
  }
  int number;
};
Task<> work_on(Executor& executor, int number, int& ended) {
  try {
    const Work work(number);
    const std::unique_ptr<int> result = co_await run_in_executor(executor, work);
    if (*result == number) ++ended;
  } catch (const std::runtime_error&) {
    if (number % 7 == 0) ++ended;
  }
}

TEST_CASE("tasks dropped at every stage, by groups and by loops, leave nothing behind",
          "[run_in_executor][threads]") {
  ThreadPool pool;
  int ended = 0;
  int began = 0;
  for (int round = 0; round < 40; ++round) {
    TestLoop loop;
    TaskGroup dropped(loop);
    for (int i = 0; i < 60; ++i) {
      dropped.add(work_on(pool, i, ended));
      loop.spawn(work_on(pool, i + round, ended));
      began += 2;
    }
    for (int turn = 0; turn < round % 8; ++turn) loop.run_turn();
    dropped.destroy();
    if (round % 2) loop.run_turn();
  }
  CHECK(ended <= began);
}

}  // namespace
}  // namespace squall::run_in_executor_test
