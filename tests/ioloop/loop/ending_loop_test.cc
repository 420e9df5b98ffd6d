#include <squall/ioloop/loop/child_reaper.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/signal_handlers.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/ioloop/process/executor.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "support/socket_pair.h"
#include "support/test_loop.h"

namespace squall::ending_loop_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::SocketPair;

// Calls a function of the loop when it is destroyed.
class AtEnd {
 public:
  using Call = std::function<void(IOLoop&)>;
  AtEnd(IOLoop& loop, const Call& call, int& calls) : loop_(&loop), call_(&call), calls_(&calls) {}
  AtEnd(AtEnd&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)), call_(other.call_), calls_(other.calls_) {}
  AtEnd& operator=(AtEnd&&) = delete;
  ~AtEnd() {
    if (!loop_) return;
    ++*calls_;
    (*call_)(*loop_);
  }

 private:
  IOLoop* loop_;
  const Call* call_;
  int* calls_;
};

Task<> keep(AtEnd) { co_await sleep(24h); }
Task<> waits(Live = {}) { co_await sleep(24h); }
Task<int> returns(Live = {}) { co_return 1; }

class EndingExecutor final : public Executor {
 public:
  explicit EndingExecutor(AtEnd at_end) : at_end_(std::move(at_end)) {}
  void submit(Callback job) override { job(); }

 private:
  AtEnd at_end_;
};

// Destroys a loop that owns an object in each kind of place. Each of them calls `call`.
void end_with(const AtEnd::Call& call) {
  int calls = 0;
  int places = 0;
  const int live = Live::count;
  const SocketPair sockets;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  {
    IOLoop loop;
    const auto at_end = [&] {
      ++places;
      return AtEnd(loop, call, calls);
    };
    loop.add_callback([object = at_end()] {});  // from outside of a turn: in the inbox
    loop.call_soon([object = at_end()] {});
    loop.call_later(24h, [object = at_end()] {});
    loop.call_later(0s, [object = at_end()] {});
    loop.add_handler(sockets.near.get(), Events::read, [object = at_end()](int, Events) {});
    loop.add_handler(sockets.far.get(), Events::none, [object = at_end()](int, Events) {});
    loop.add_signal_handler(SIGUSR1, [object = at_end()] {});
    loop.set_default_executor(std::make_shared<EndingExecutor>(at_end()));
    loop.children().watch(child, ChildExit::automatic)->callback =
        [object = std::make_shared<AtEnd>(at_end())](int) {};
    loop.spawn(keep(at_end()));
    loop.spawn(keep(at_end()));
  }
  CHECK(calls == places);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(Live::count == live);
  CHECK(IOLoop::current_or_null() == nullptr);
  // No timer, handler or signal is left that a later loop would meet.
  IOLoop next;
  next.run_once(0s);
  CHECK(next.stats().tasks == 0);
}

TEST_CASE("a task that a destructor spawns while the loop is destroyed is destroyed unstarted",
          "[ending_loop]") {
  bool begun = false;
  const auto note = [](bool& place, Live = {}) -> Task<> {
    place = true;
    co_return;
  };
  end_with([&](IOLoop& loop) { loop.spawn(note(begun)); });
  end_with([](IOLoop& loop) { loop.spawn(waits()); });
  CHECK_FALSE(begun);
}

TEST_CASE("callbacks and timers that destructors add while the loop is destroyed are destroyed uncalled",
          "[ending_loop]") {
  bool called = false;
  const auto note = [&called, live = Live()] { called = true; };
  end_with([&](IOLoop& loop) { loop.add_callback(note); });
  end_with([&](IOLoop& loop) { loop.handle().add_callback(note); });
  end_with([&](IOLoop& loop) { loop.withdraw(loop.call_soon(note)); });
  end_with([&](IOLoop& loop) { loop.call_soon(note); });
  end_with([&](IOLoop& loop) { loop.remove_timeout(loop.call_later(1s, note)); });
  end_with([&](IOLoop& loop) { loop.call_later(0s, note); });
  end_with([&](IOLoop& loop) { loop.call_at(IOLoop::TimePoint::max(), note); });
  end_with([&](IOLoop& loop) { loop.add_signal_handler(SIGUSR2, note); });
  end_with([&](IOLoop& loop) { loop.add_signal_handler(SIGUSR1, note); });
  CHECK_FALSE(called);
}

TEST_CASE("a callback that a signal handler adds while the loop is destroyed is dropped", "[ending_loop]") {
  end_with([](IOLoop& loop) { loop.add_callback_from_signal([] { FAIL("called"); }); });
}

TEST_CASE("hooks that destructors link while the loop is destroyed are unlinked, uncalled", "[ending_loop]") {
  LoopHook soon([](void*) { FAIL("called"); }, nullptr);
  LoopHook at_end([](void*) { FAIL("called"); }, nullptr);
  end_with([&](IOLoop& loop) {
    if (!soon.linked()) loop.call_soon(soon);
    if (!at_end.linked()) loop.at_turn_end(at_end);
  });
  CHECK_FALSE(soon.linked());
  CHECK_FALSE(at_end.linked());
}

TEST_CASE("handlers can be added, changed and removed while the loop is destroyed, and are never called",
          "[ending_loop]") {
  const SocketPair sockets;
  sockets.put();
  const int fd = sockets.near.get();
  const auto add = [&](IOLoop& loop) {
    loop.remove_handler(fd);
    loop.add_handler(fd, Events::read, [live = Live()](int, Events) { FAIL("called"); });
  };
  end_with(add);
  end_with([&](IOLoop& loop) {
    add(loop);
    loop.update_handler(fd, Events::write);
    CHECK(loop.handler_of(fd).function);
    loop.set_handler(fd, {[](void*, Events) {}, nullptr});
    loop.call_handler(fd, Events::read);
    loop.remove_handler(fd);
    CHECK_FALSE(loop.handler_of(fd).function);
  });
}

TEST_CASE("running the loop while it is destroyed is an error, and stop() does nothing", "[ending_loop]") {
  end_with([](IOLoop& loop) { CHECK_THROWS_AS(loop.start(), std::logic_error); });
  end_with([](IOLoop& loop) { CHECK_THROWS_AS(loop.run_once(0s), std::logic_error); });
  end_with([](IOLoop& loop) { CHECK_THROWS_AS(loop.run_sync(returns()), std::logic_error); });
  end_with([](IOLoop& loop) { CHECK_THROWS_AS(loop.run_sync(returns(), 1s), std::logic_error); });
  end_with([](IOLoop& loop) { loop.stop(); });
  end_with([](IOLoop& loop) { loop.stop_on_signals(); });
}

TEST_CASE("the other functions of a loop can be called while it is destroyed", "[ending_loop]") {
  end_with([](IOLoop& loop) {
    CHECK(&IOLoop::current() == &loop);
    CHECK(IOLoop::current_or_null() == &loop);
    loop.make_current();
    CHECK_FALSE(loop.running());
    CHECK_FALSE(loop.poller_name().empty());
    CHECK(loop.time() > IOLoop::TimePoint());
    CHECK(loop.deadline_after(1s) > loop.time());
    loop.next_timeout();
    loop.stats();
    loop.set_slow_callback(1s);
    loop.spend(1);
    loop.count_tasks(0);
    CHECK(IOLoop::live_loops() > 0);
    const bool has_fd = loop.poller_name() != "poll" && loop.poller_name() != "devpoll";
    if (has_fd) CHECK(loop.fd() >= 0);
    loop.remove_signal_handler(SIGUSR1);
    loop.remove_signal_handler(SIGUSR2);
  });
  end_with([](IOLoop& loop) {
    IOLoop::clear_current();
    loop.make_current();
  });
  end_with([](IOLoop& loop) {
    // Makes a new thread pool each time.
    loop.default_executor().submit([live = Live()] {});
    loop.set_default_executor(nullptr);
  });
  end_with([](IOLoop& loop) { loop.default_executor(); });
  end_with([](IOLoop& loop) { loop.signal_handlers(); });
  end_with([](IOLoop& loop) { loop.children(); });
}

TEST_CASE("a destructor may make a TaskGroup and an awaiter of the loop that is destroyed", "[ending_loop]") {
  std::unique_ptr<TaskGroup> group;
  end_with([&](IOLoop& loop) {
    group = std::make_unique<TaskGroup>(loop);
    group->add(waits());
    group.reset();
  });
  end_with([&](IOLoop& loop) {
    if (!group) group = std::make_unique<TaskGroup>(loop);
    group->add(waits());
    group->destroy();
  });
}

}  // namespace
}  // namespace squall::ending_loop_test
