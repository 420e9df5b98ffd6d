#include <squall/ioloop/loop/signal_awaiter.h>

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/loop/task_group.h>

#include <signal.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "support/test_loop.h"

namespace squall::signal_awaiter_test {
namespace {

using testing::Live;
using testing::TestLoop;
using testing::throws;

void raise_at_process(int signal) { REQUIRE(::kill(::getpid(), signal) == 0); }

Task<> record(IOLoop& loop, int signal, std::vector<int>& got, Live = {}) {
  const int signal_got = co_await loop.signal(signal);
  got.push_back(signal_got);
}
Task<> record_either(IOLoop& loop, int first, int second, std::vector<int>& got) {
  const int signal_got = co_await loop.signal(first, second);
  got.push_back(signal_got);
}

TEST_CASE("a task waits for a signal", "[signal_awaiter]") {
  TestLoop loop;
  std::vector<int> got;
  loop.spawn(record(loop, SIGUSR1, got));
  loop.run_turn();
  CHECK(got.empty());
  raise_at_process(SIGUSR1);
  loop.run_until([&] { return got.size() == 1; });
  CHECK(got == std::vector<int>{SIGUSR1});
}

TEST_CASE("a task waits for the first of several signals", "[signal_awaiter]") {
  TestLoop loop;
  std::vector<int> got;
  loop.spawn(record_either(loop, SIGUSR1, SIGUSR2, got));
  raise_at_process(SIGUSR2);
  loop.run_until([&] { return got.size() == 1; });
  CHECK(got == std::vector<int>{SIGUSR2});
}

TEST_CASE("a signal resumes every task that waits for it, and calls the handler", "[signal_awaiter]") {
  TestLoop loop;
  std::vector<int> got;
  int handled = 0;
  loop.add_signal_handler(SIGUSR1, [&] { ++handled; });
  loop.spawn(record(loop, SIGUSR1, got));
  loop.spawn(record(loop, SIGUSR1, got));
  raise_at_process(SIGUSR1);
  loop.run_until([&] { return got.size() == 2; });
  CHECK(handled == 1);
}

TEST_CASE("a signal that arrives while no task waits is kept once, for the next wait", "[signal_awaiter]") {
  TestLoop loop;
  std::vector<int> got;
  loop.spawn(record(loop, SIGUSR1, got));
  raise_at_process(SIGUSR1);
  loop.run_until([&] { return got.size() == 1; });
  raise_at_process(SIGUSR1);
  raise_at_process(SIGUSR1);
  loop.run_turn();
  loop.run(record(loop, SIGUSR1, got));
  CHECK(got.size() == 2);
  loop.spawn(record(loop, SIGUSR1, got));
  loop.run_turn();
  loop.run_turn();
  CHECK(got.size() == 2);
}

TEST_CASE("a signal that arrived while no task waited is delivered to a handler that is added later",
          "[signal_awaiter]") {
  TestLoop loop;
  std::vector<int> got;
  int handled = 0;
  loop.spawn(record(loop, SIGUSR1, got));
  raise_at_process(SIGUSR1);
  loop.run_until([&] { return got.size() == 1; });
  raise_at_process(SIGUSR1);
  loop.run_turn();
  loop.add_signal_handler(SIGUSR1, [&] { ++handled; });
  loop.run_until([&] { return handled > 0; });
  loop.spawn(record(loop, SIGUSR1, got));
  loop.run_turn();
  loop.run_turn();
  CHECK(handled == 1);
  CHECK(got.size() == 1);
}

TEST_CASE("a wait for a signal that begins after the loop has ended handles no signal", "[signal_awaiter]") {
  std::vector<int> got;
  std::optional<IOLoop> ended(std::in_place);
  const LoopRef keeps_the_remains(*ended);
  SignalAwaiter wait = ended->signal(SIGUSR1);
  ended.reset();
  TestLoop loop;
  TaskGroup group(loop);
  group.add([](SignalAwaiter wait, std::vector<int>& got) -> Task<> {
    const int signal = co_await wait;
    got.push_back(signal);
  }(std::move(wait), got));
  loop.add_signal_handler(SIGUSR1, [&] { got.push_back(0); });  // no other loop has the signal
  raise_at_process(SIGUSR1);
  loop.run_until([&] { return !got.empty(); });
  loop.run_turn();
  CHECK(got == std::vector<int>{0});
}

TEST_CASE("a task destroyed while it waits for a signal is not resumed", "[signal_awaiter]") {
  TestLoop loop;
  std::vector<int> got;
  {
    TaskGroup group(loop);
    group.add(record(loop, SIGUSR1, got));
    group.add(record(loop, SIGUSR1, got));
    group.add(record(loop, SIGUSR2, got));
    loop.run_turn();
  }
  CHECK(Live::count == 0);
  raise_at_process(SIGUSR1);
  loop.run_turn();
  CHECK(got.empty());
}

TEST_CASE("a task destroyed after its signal arrived, but before it resumed, is not resumed",
          "[signal_awaiter]") {
  TestLoop loop;
  std::vector<int> got;
  auto group = std::make_unique<TaskGroup>(loop);
  group->add(record(loop, SIGUSR1, got));
  // The handler is called right after the waiting tasks were put into the ready queue.
  loop.add_signal_handler(SIGUSR1, [&] { group.reset(); });
  raise_at_process(SIGUSR1);
  loop.run_until([&] { return !group; });
  loop.run_turn();
  CHECK(got.empty());
  CHECK(Live::count == 0);
}

TEST_CASE("the loop keeps a signal while a task waits for it, although its handler is removed",
          "[signal_awaiter]") {
  TestLoop loop;
  std::vector<int> got;
  loop.add_signal_handler(SIGUSR1, [] {});
  loop.spawn(record(loop, SIGUSR1, got));
  loop.remove_signal_handler(SIGUSR1);
  raise_at_process(SIGUSR1);
  loop.run_until([&] { return got.size() == 1; });
}

TEST_CASE("an invalid signal, or one of another loop, is refused", "[signal_awaiter]") {
  TestLoop loop;
  std::vector<int> got;
  CHECK(loop.run(throws<std::invalid_argument>(record(loop, 0, got))));
  CHECK(loop.run(throws<std::invalid_argument>(record(loop, 1000, got))));
  CHECK(loop.run(throws<std::system_error>(record(loop, SIGKILL, got))));
  IOLoop other;
  other.add_signal_handler(SIGUSR1, [] {});
  CHECK(loop.run(throws<std::logic_error>(record(loop, SIGUSR1, got))));
}

}  // namespace
}  // namespace squall::signal_awaiter_test
