#include <squall/ioloop/coro/periodic_callback.h>

#include <squall/ioloop/sync/event.h>
#include <squall/testing/virtual_clock.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/test_loop.h"

namespace squall::periodic_callback_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::TestLoop;
using TimePoint = IOLoop::TimePoint;
using Milliseconds = std::chrono::milliseconds;

// The due times of a PeriodicCallback with an interval of 10 s that starts at 1000 s. `now` has the times
// at which each next call is scheduled.
std::vector<Milliseconds> beats(const std::vector<Milliseconds>& now) {
  TimePoint due{1000s};
  std::vector<Milliseconds> all;
  for (const Milliseconds time : now) {
    due = detail::next_beat(due, TimePoint(time), 10s);
    all.push_back(std::chrono::duration_cast<Milliseconds>(due.time_since_epoch()));
  }
  return all;
}
using Times = std::vector<Milliseconds>;

TEST_CASE("beats do not drift (IOL-63)", "[periodic_callback]") {
  CHECK(beats({1000s, 1010s, 1020100ms}) == Times{1010s, 1020s, 1030s});
}

TEST_CASE("missed beats are skipped, and the phase is kept (IOL-63)", "[periodic_callback]") {
  CHECK(beats({1000s, 1011s, 1031s, 1045s}) == Times{1010s, 1020s, 1040s, 1050s});
  CHECK(beats({1000s, 1010s + 24h}) == Times{1010s, 1020s + 24h});
}

TEST_CASE("a clock that is set back does not stop the calls (IOL-64)", "[periodic_callback]") {
  CHECK(beats({1000s, 1010s, 998s, 999s}) == Times{1010s, 1020s, 1030s, 1040s});
}

TEST_CASE("jitter varies the interval evenly around its length (IOL-65)", "[periodic_callback]") {
  CHECK(detail::vary_interval(10s, 0.1, 0.5) == 10s);
  CHECK(detail::vary_interval(10s, 0.1, 0) == 9500ms);
  CHECK(detail::vary_interval(10s, 0.1, 1) == 10500ms);
  CHECK(detail::vary_interval(10s, 0, 0.9) == 10s);
  CHECK(detail::vary_interval(1ns, 1, 0) >= 1ns);
}

TEST_CASE("an interval that is not positive, or a jitter out of bounds, is refused (IOL-60)",
          "[periodic_callback]") {
  CHECK_THROWS_WITH(PeriodicCallback(0s, [] {}), "Periodic callback must have a positive callback_time");
  CHECK_THROWS_AS(PeriodicCallback(-1ms, [] {}), std::invalid_argument);
  PeriodicCallback::Options options;
  options.jitter = 1.1;
  CHECK_THROWS_AS(PeriodicCallback(1s, [] {}, options), std::invalid_argument);
  options.jitter = -0.1;
  CHECK_THROWS_AS(PeriodicCallback(1s, [] {}, options), std::invalid_argument);
}

TEST_CASE("the first call comes one interval after start(), then one each interval (IOL-60, IOL-62)",
          "[periodic_callback]") {
  TestLoop loop;
  std::vector<TimePoint> calls;
  PeriodicCallback periodic(2ms, [&] { calls.push_back(loop.time()); });
  CHECK_FALSE(periodic.is_running());
  const TimePoint start = IOLoop::Clock::now();
  periodic.start();
  periodic.start();  // does nothing
  CHECK(periodic.is_running());
  CHECK(calls.empty());
  loop.run_until([&] { return calls.size() == 4; });
  for (std::size_t i = 0; i < calls.size(); ++i) CHECK(calls[i] - start >= 2ms * (i + 1));
  periodic.stop();
  CHECK_FALSE(periodic.is_running());
  loop.run([]() -> Task<> { co_await sleep(5ms); }());
  CHECK(calls.size() == 4);
}

TEST_CASE("the first call comes one interval after start(), also if the turn was blocked (IOL-62)",
          "[periodic_callback]") {
  testing::VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  std::vector<TimePoint> calls;
  PeriodicCallback periodic(100ms, [&] {
    calls.push_back(loop.time());
    if (calls.size() == 2) clock.advance(250ms);  // skips two beats
  });
  TimePoint start;
  loop.add_callback([&] {
    clock.advance(300ms);
    start = clock.now();
    periodic.start();
  });
  loop.run_until([&] { return calls.size() == 3; });
  CHECK(calls == std::vector<TimePoint>{start + 100ms, start + 200ms, start + 500ms});
}

TEST_CASE("an interval too long for the clock is never over, with jitter too", "[periodic_callback]") {
  const IOLoop::Duration longest = IOLoop::Duration::max();
  CHECK(detail::next_beat(TimePoint(1000s), TimePoint(1000s), longest) == TimePoint::max());
  CHECK(detail::next_beat(TimePoint::max(), TimePoint(1000s), longest) == TimePoint::max());
  CHECK(detail::vary_interval(longest, 1, 0.999) == longest);
  TestLoop loop;
  PeriodicCallback::Options options;
  options.jitter = 1;
  PeriodicCallback periodic(std::chrono::hours::max(), [] { FAIL("was called"); }, options);
  periodic.start();
  loop.run_turn();
  CHECK_THROWS_AS(PeriodicCallback(std::chrono::hours::min(), [] {}), std::invalid_argument);
}

TEST_CASE("after a call that takes longer than the interval a beat is skipped (IOL-63)",
          "[periodic_callback]") {
  TestLoop loop;
  int calls = 0;
  TimePoint end;
  PeriodicCallback periodic(10ms, [&] {
    if (++calls == 1) std::this_thread::sleep_for(15ms);
    end = IOLoop::Clock::now();
  });
  const TimePoint before = IOLoop::Clock::now();
  periodic.start();
  loop.run_until([&] { return calls == 1; });
  CHECK(end - before >= 25ms);
  for (int i = 0; i < 3; ++i) loop.run_turn();
  // The beat at 20 ms was missed. The next beat is at 30 ms, or later if the machine was busy.
  loop.run_until([&] { return calls == 2; });
  CHECK(end - before >= 30ms);
}

TEST_CASE("the loop is the one that is current in start() (IOL-61)", "[periodic_callback]") {
  int calls = 0;
  PeriodicCallback periodic(1ms, [&] { ++calls; });
  {
    TestLoop loop;
    periodic.start();
    loop.run_until([&] { return calls == 2; });
    periodic.stop();
  }
  TestLoop loop;
  periodic.start();
  loop.run_until([&] { return calls == 4; });
  periodic.stop();
}

TEST_CASE("calls with jitter take place (IOL-65)", "[periodic_callback]") {
  TestLoop loop;
  int calls = 0;
  PeriodicCallback::Options options;
  options.jitter = 1;
  PeriodicCallback periodic(1ms, [&] { ++calls; }, options);
  periodic.start();
  loop.run_until([&] { return calls == 10; });
}

TEST_CASE("stop() in the function prevents the next call, and start() there begins a new series (IOL-67)",
          "[periodic_callback]") {
  TestLoop loop;
  int calls = 0;
  bool again = false;
  std::optional<PeriodicCallback> periodic;
  periodic.emplace(1ms, [&] {
    ++calls;
    periodic->stop();
    if (again) periodic->start();
  });
  periodic->start();
  loop.run([]() -> Task<> { co_await sleep(5ms); }());
  CHECK(calls == 1);
  CHECK_FALSE(periodic->is_running());
  again = true;
  periodic->start();
  loop.run_until([&] { return calls == 4; });
  CHECK(periodic->is_running());
}

TEST_CASE("an exception from the function is logged, and the next call takes place (IOL-67)",
          "[periodic_callback]") {
  TestLoop loop;
  int calls = 0;
  PeriodicCallback periodic(1ms, [&] {
    if (++calls == 1) throw std::runtime_error("of the function");
    if (calls == 2) throw 2;
  });
  periodic.start();
  loop.run_until([&] { return calls == 3; });
  const auto line = loop.log.expect("Exception in callback: of the function");
  CHECK(line.logger == "squall.application");
  loop.log.expect("Exception in callback: not a std::exception");
}

TEST_CASE("a task that the function returns a second time is logged", "[periodic_callback]") {
  TestLoop loop;
  int begun = 0;
  auto count = [](int& begun) -> Task<> {
    ++begun;
    co_return;
  };
  Task<> task = count(begun);
  auto await = [](Task<>& task) -> Task<> { co_await std::move(task); };
  loop.run(await(task));
  PeriodicCallback periodic(1ms, [&] { return std::move(task); });
  periodic.start();
  loop.run_until([&] { return !task; });
  periodic.stop();
  loop.log.expect("Exception in callback: this Task was awaited or started before");
  CHECK(begun == 1);
}

TEST_CASE("an exception from the task is logged, and the next call takes place (IOL-67)",
          "[periodic_callback]") {
  TestLoop loop;
  int calls = 0;
  auto fail = [](int call) -> Task<> {
    if (call == 1) throw std::runtime_error("at once");
    co_await moment();
    if (call == 2) throw std::runtime_error("later");
  };
  PeriodicCallback periodic(1ms, [&] { return fail(++calls); });
  periodic.start();
  loop.run_until([&] { return calls == 3; });
  periodic.stop();
  loop.log.expect("Exception in callback: at once");
  loop.log.expect("Exception in callback: later");
}

// A task that runs until the event is set.
struct Work {
  Event go_on;
  int begun = 0;
  int ended = 0;

  Task<> run(std::optional<Live> = {}) {
    ++begun;
    co_await go_on.wait();
    ++ended;
  }
};

TEST_CASE("while the task runs, beats are skipped (IOL-66)", "[periodic_callback]") {
  TestLoop loop;
  Work work;
  PeriodicCallback periodic(1ms, [&] { return work.run(Live()); });
  periodic.start();
  loop.run_until([&] { return work.begun == 1; });
  loop.run([]() -> Task<> { co_await sleep(5ms); }());
  CHECK(work.begun == 1);
  work.go_on.set();
  loop.run_until([&] { return work.begun == 3; });
  CHECK(work.ended >= 2);
  periodic.stop();
}

TEST_CASE("a task that has ended is destroyed before the next beat", "[periodic_callback]") {
  TestLoop loop;
  Work work;
  PeriodicCallback periodic(2ms, [&] { return work.run(Live()); });
  periodic.start();
  loop.run_until([&] { return work.begun == 1; });
  CHECK(Live::count == 1);
  work.go_on.set();
  loop.run_until([&] { return work.ended == 1; });
  loop.run_turn();
  CHECK(Live::count == 0);
}

TEST_CASE("stop() lets a running task continue to its end, and start() then waits for the end (IOL-66)",
          "[periodic_callback]") {
  TestLoop loop;
  Work work;
  PeriodicCallback periodic(1ms, [&] { return work.run(); });
  periodic.start();
  loop.run_until([&] { return work.begun == 1; });
  periodic.stop();
  SECTION("stopped for good") {
    work.go_on.set();
    loop.run_until([&] { return work.ended == 1; });
    loop.run([]() -> Task<> { co_await sleep(3ms); }());
    CHECK(work.begun == 1);
  }
  SECTION("started again") {
    periodic.start();
    loop.run([]() -> Task<> { co_await sleep(3ms); }());
    CHECK(work.begun == 1);
    work.go_on.set();
    loop.run_until([&] { return work.begun == 2; });
    CHECK(work.ended >= 1);
  }
}

TEST_CASE("a task may stop its own periodic callback", "[periodic_callback]") {
  TestLoop loop;
  int calls = 0;
  std::optional<PeriodicCallback> periodic;
  auto stop = [](std::optional<PeriodicCallback>& periodic, int& calls) -> Task<> {
    co_await moment();
    periodic->stop();
    co_await moment();
    ++calls;
  };
  periodic.emplace(1ms, [&] { return stop(periodic, calls); });
  periodic->start();
  loop.run_until([&] { return calls == 1; });
  loop.run([]() -> Task<> { co_await sleep(3ms); }());
  CHECK(calls == 1);
}

TEST_CASE("destruction stops the calls and cancels a running task", "[periodic_callback]") {
  TestLoop loop;
  Work work;
  std::optional<PeriodicCallback> periodic;
  periodic.emplace(1ms, [&] { return work.run(Live()); });
  periodic->start();
  SECTION("before the first call") {
    periodic.reset();
    loop.run([]() -> Task<> { co_await sleep(3ms); }());
    CHECK(work.begun == 0);
  }
  SECTION("while the task waits") {
    loop.run_until([&] { return work.begun == 1; });
    CHECK(Live::count == 1);
    periodic.reset();
    CHECK(Live::count == 0);
    work.go_on.set();
    loop.run_turn();
    CHECK(work.ended == 0);
  }
  SECTION("when the task was woken") {
    loop.run_until([&] { return work.begun == 1; });
    work.go_on.set();
    periodic.reset();
    CHECK(Live::count == 0);
    loop.run_turn();
    CHECK(work.ended == 0);
  }
  SECTION("between the end of the task and the next beat") {
    loop.run_until([&] { return work.begun == 1; });
    work.go_on.set();
    loop.run_turn();
    CHECK(work.ended == 1);
    periodic.reset();
    CHECK(Live::count == 0);
    loop.run([]() -> Task<> { co_await sleep(3ms); }());
    CHECK(work.begun == 1);
  }
}

TEST_CASE("the function may destroy its periodic callback, and keeps its captures until it returns",
          "[periodic_callback]") {
  TestLoop loop;
  auto periodic = std::make_unique<std::optional<PeriodicCallback>>();
  std::string said;
  const std::string text(100, 'x');
  periodic->emplace(1ms, [&said, &periodic, text, live = Live()] {
    periodic.reset();
    said = text;
  });
  (*periodic)->start();
  loop.run_until([&] { return !said.empty(); });
  CHECK(said == text);
  CHECK(Live::count == 0);
}

TEST_CASE("the task may destroy its periodic callback before it first waits, and is then cancelled",
          "[periodic_callback]") {
  TestLoop loop;
  std::unique_ptr<PeriodicCallback> periodic;
  int steps = 0;
  auto destroy = [](std::unique_ptr<PeriodicCallback>& periodic, int& steps, Live) -> Task<> {
    periodic.reset();
    ++steps;
    co_await moment();
    ++steps;
  };
  periodic = std::make_unique<PeriodicCallback>(1ms, [&] { return destroy(periodic, steps, Live()); });
  periodic->start();
  loop.run_until([&] { return steps > 0; });
  for (int i = 0; i < 3; ++i) loop.run_turn();
  CHECK(steps == 1);
  CHECK(Live::count == 0);
}

// Calls a function when it is destroyed.
struct AtEnd {
  explicit AtEnd(std::function<void()> function) : function(std::move(function)) {}
  AtEnd(AtEnd&& other) noexcept : function(std::exchange(other.function, nullptr)) {}
  ~AtEnd() {
    if (function) function();
  }
  std::function<void()> function;
};

TEST_CASE("what a task leaves behind may stop or destroy its periodic callback", "[periodic_callback]") {
  const bool destroys = GENERATE(false, true);
  CAPTURE(destroys);
  TestLoop loop;
  std::unique_ptr<PeriodicCallback> periodic;
  int begun = 0;
  bool is_over = false;
  const auto run = [](int& begun, AtEnd) -> Task<> {
    ++begun;
    co_await moment();
  };
  const auto end = [&] {
    if (destroys) {
      periodic.reset();
    } else {
      periodic->stop();
    }
    is_over = true;
  };
  periodic = std::make_unique<PeriodicCallback>(1ms, [&] { return run(begun, AtEnd(end)); });
  periodic->start();
  loop.run_until([&] { return is_over; });
  loop.run([]() -> Task<> { co_await sleep(5ms); }());
  CHECK(begun == 1);
}

TEST_CASE("the function may be a capturing lambda that is a coroutine, because it is never moved",
          "[periodic_callback]") {
  TestLoop loop;
  std::vector<std::string> out;
  const std::string text(100, 'x');
  PeriodicCallback periodic(1ms, [&out, text]() -> Task<> {
    co_await moment();
    out.push_back(text);
  });
  periodic.start();
  loop.run_until([&] { return out.size() == 3; });
  CHECK(out.back() == text);
}

TEST_CASE("the function may be move-only", "[periodic_callback]") {
  TestLoop loop;
  int calls = 0;
  PeriodicCallback periodic(1ms, [&calls, step = std::make_unique<int>(1)] { calls += *step; });
  periodic.start();
  loop.run_until([&] { return calls == 2; });
}

}  // namespace
}  // namespace squall::periodic_callback_test
