#include <squall/ioloop/process/child_watcher.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "support/platform.h"
#include "support/test_loop.h"

namespace squall::child_watcher_test {
namespace {

using namespace std::chrono_literals;
using testing::Live;
using testing::TestLoop;

const std::vector<ChildExit> kBothWays = testing::ways_to_watch();

// A child that runs `function`. Kill it by a signal without a handler in the test program, because children
// inherit handlers.
template <class Function>
pid_t child_that(Function function) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    function();
    ::_exit(0);
  }
  return pid;
}
pid_t child_that_exits(int status) {
  return child_that([status] { ::_exit(status); });
}
pid_t child_that_stays() {
  return child_that([] {
    for (;;) ::pause();
  });
}
void wait_until_dead(pid_t pid) {
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
}
// Whether the child runs, or has ended and was not reaped.
bool exists(pid_t pid) { return ::kill(pid, 0) == 0; }

Task<int> wait_for(ChildWatcher& watcher) { co_return co_await watcher.wait(); }
Task<> note(ChildWatcher& watcher, std::vector<int>& out, Live = {}) {
  const int code = co_await watcher.wait();
  out.push_back(code);
}

TEST_CASE("a watcher returns the exit status, or minus the signal that killed the child (PRC-11)",
          "[child]") {
  for (const ChildExit how : kBothWays) {
    TestLoop loop;
    ChildWatcher exits(child_that_exits(3), how);
    CHECK(loop.run(wait_for(exits)) == 3);
    CHECK(exits.returncode() == 3);
    CHECK_FALSE(exists(exits.pid()));
    ChildWatcher well(child_that_exits(0), how);
    CHECK(loop.run(wait_for(well)) == 0);
    ChildWatcher killed(child_that_stays(), how);
    CHECK(killed.how() == how);
    loop.run_turn();
    CHECK_FALSE(killed.returncode());
    killed.send_signal(SIGUSR1);
    CHECK(loop.run(wait_for(killed)) == -SIGUSR1);
    CHECK(loop.run(wait_for(killed)) == -SIGUSR1);  // any number of times
    killed.send_signal(SIGKILL);                    // the child has ended
  }
}

TEST_CASE("the pidfd is used if the system has pidfds", "[child]") {
  TestLoop loop;
  ChildWatcher watcher(child_that_stays());
  CHECK(watcher.how() == (testing::kHasPidfd ? ChildExit::pidfd : ChildExit::sigchld));
  watcher.send_signal(SIGKILL);
  CHECK(loop.run(wait_for(watcher)) == -SIGKILL);
}

TEST_CASE("a child that ended before it was watched is reported too (PRC-12)", "[child]") {
  for (const ChildExit how : kBothWays) {
    TestLoop loop;
    const pid_t pid = child_that_exits(5);
    wait_until_dead(pid);
    std::vector<int> out;
    ChildWatcher watcher(pid, how);
    CHECK(watcher.returncode() == 5);
    watcher.set_exit_callback([&](int code) { out.push_back(code); });
    CHECK(out.empty());
    loop.run_until([&] { return !out.empty(); });
    CHECK(out == std::vector<int>{5});
  }
}

TEST_CASE("the exit callback is called once, through the queue, and may be replaced before (PRC-12)",
          "[child]") {
  for (const ChildExit how : kBothWays) {
    TestLoop loop;
    std::vector<int> out;
    ChildWatcher watcher(child_that_stays(), how);
    watcher.set_exit_callback([&](int) { out.push_back(100); });
    watcher.set_exit_callback([&](int code) { out.push_back(code); });
    watcher.send_signal(SIGKILL);
    loop.run_until([&] { return !out.empty(); });
    loop.run_turn();
    CHECK(out == std::vector<int>{-SIGKILL});
    watcher.set_exit_callback([&](int) { out.push_back(100); });
    watcher.set_exit_callback({});
    loop.run_turn();
    CHECK(out.size() == 1);
  }
}

TEST_CASE("an exception from an exit callback is logged", "[child]") {
  TestLoop loop;
  ChildWatcher watcher(child_that_exits(0));
  watcher.set_exit_callback([](int) { throw std::runtime_error("from an exit callback"); });
  loop.run(wait_for(watcher));
  loop.run_turn();
  loop.log.expect("from an exit callback");
}

TEST_CASE("several tasks may wait for one child, and a task destroyed meanwhile is not resumed", "[child]") {
  for (const ChildExit how : kBothWays) {
    TestLoop loop;
    std::vector<int> out;
    ChildWatcher watcher(child_that_stays(), how);
    loop.spawn(note(watcher, out));
    loop.spawn(note(watcher, out));
    {
      TaskGroup group(loop);
      group.add(note(watcher, out, Live()));
      CHECK(Live::count > 0);
    }
    watcher.send_signal(SIGKILL);
    loop.run_until([&] { return out.size() == 2; });
    loop.run_turn();
    CHECK(out == std::vector<int>{-SIGKILL, -SIGKILL});
  }
  CHECK(Live::count == 0);
}

TEST_CASE("a task destroyed between the child's end and its own turn is not resumed", "[child]") {
  for (const ChildExit how : kBothWays) {
    TestLoop loop;
    std::vector<int> out;
    ChildWatcher watcher(child_that_stays(), how);
    {
      TaskGroup group(loop);
      group.add(note(watcher, out));
      watcher.send_signal(SIGKILL);
      // Stops the loop in the turn that reaps the child, before the turn that resumes the task.
      while (!watcher.returncode()) loop.run_turn();
    }
    loop.run_turn();
    CHECK(out.empty());
  }
}

TEST_CASE("the loop reaps a child whose watcher was destroyed", "[child]") {
  for (const ChildExit how : kBothWays) {
    TestLoop loop;
    const pid_t pid = child_that_stays();
    bool called = false;
    {
      ChildWatcher watcher(pid, how);
      watcher.set_exit_callback([&](int) { called = true; });
    }
    loop.run_turn();
    CHECK(exists(pid));
    ::kill(pid, SIGUSR1);
    loop.run_until([&] { return !exists(pid); });
    CHECK_FALSE(called);
  }
}

TEST_CASE("a task may still wait after the watcher is destroyed", "[child]") {
  for (const ChildExit how : kBothWays) {
    TestLoop loop;
    std::vector<int> out;
    auto watcher = std::make_unique<ChildWatcher>(child_that_stays(), how);
    loop.spawn(note(*watcher, out));
    watcher->send_signal(SIGUSR1);
    watcher.reset();
    loop.run_until([&] { return !out.empty(); });
    CHECK(out == std::vector<int>{-SIGUSR1});
  }
}

TEST_CASE("a watcher may be moved", "[child]") {
  TestLoop loop;
  ChildWatcher watcher(child_that_exits(1));
  ChildWatcher moved = std::move(watcher);
  CHECK_FALSE(watcher);  // NOLINT(bugprone-use-after-move): the purpose of this test
  CHECK(loop.run(wait_for(moved)) == 1);
}

TEST_CASE("the destructor of a loop waits for a killed child, but not for a running one", "[child]") {
  for (const ChildExit how : kBothWays) {
    pid_t killed = 0;
    pid_t running = 0;
    {
      TestLoop loop;
      killed = child_that_stays();
      ChildWatcher first(killed, how);
      first.send_signal(SIGKILL);
      running = child_that_stays();
      const ChildWatcher second(running, how);
    }
    CHECK_FALSE(exists(killed));
    CHECK(exists(running));
    ::kill(running, SIGKILL);
    CHECK(::waitpid(running, nullptr, 0) == running);
  }
}

TEST_CASE("a child that other code has reaped is reported as 255, with a warning", "[child]") {
  for (const ChildExit how : kBothWays) {
    TestLoop loop;
    const pid_t pid = child_that_stays();
    ChildWatcher watcher(pid, how);
    ::kill(pid, SIGKILL);
    REQUIRE(::waitpid(pid, nullptr, 0) == pid);
    CHECK(loop.run(wait_for(watcher)) == 255);
    loop.log.expect("was reaped by other code");
  }
}

TEST_CASE("SIGCHLD is released when no child needs it", "[child]") {
  TestLoop loop;
  IOLoop other;
  {
    ChildWatcher watcher(child_that_stays(), ChildExit::sigchld, loop);
    const pid_t pid = child_that_stays();
    CHECK_THROWS_AS(ChildWatcher(pid, ChildExit::sigchld, other), std::logic_error);
    ::kill(pid, SIGKILL);
    CHECK(::waitpid(pid, nullptr, 0) == pid);
    watcher.send_signal(SIGKILL);
    loop.run(wait_for(watcher));
  }
  ChildWatcher watcher(child_that_exits(0), ChildExit::sigchld, other);
  other.run_sync(wait_for(watcher), TestLoop::patience());
}

TEST_CASE("signals of children that end together merge, and every child is reported", "[child]") {
  for (const ChildExit how : kBothWays) {
    TestLoop loop;
    std::vector<std::unique_ptr<ChildWatcher>> watchers;
    std::vector<int> out;
    for (int i = 0; i < 50; ++i) {
      watchers.push_back(std::make_unique<ChildWatcher>(child_that_exits(i), how));
      loop.spawn(note(*watchers.back(), out));
    }
    loop.run_until([&] { return out.size() == 50; });
    for (int i = 0; i < 50; ++i) CHECK(watchers[static_cast<std::size_t>(i)]->returncode() == i);
  }
}

TEST_CASE("an invalid signal is refused", "[child]") {
  TestLoop loop;
  ChildWatcher watcher(child_that_stays());
  CHECK_THROWS_AS(watcher.send_signal(100000), std::system_error);
  watcher.send_signal(SIGKILL);
  CHECK(loop.run(wait_for(watcher)) == -SIGKILL);
}

}  // namespace
}  // namespace squall::child_watcher_test
