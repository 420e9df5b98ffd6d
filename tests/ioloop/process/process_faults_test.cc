// The system calls for processes and signals fail.

#include "support/faults.h"

#include <squall/ioloop.h>
#include <squall/ioloop/base/signal_block.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "support/platform.h"
#include "support/test_loop.h"

namespace squall::process_faults_test {
namespace {

using testing::TestLoop;
using testing::faults::Call;
using testing::faults::Injection;
using testing::faults::open_descriptors;
using testing::faults::Truce;

std::string named(Call call, int error) {
  return std::string(testing::faults::name_of(call)) + " fails: " + std::strerror(error);
}

template <class Function>
int errno_thrown(Function function) {
  try {
    function();
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

// A child that waits for a signal. It is killed and reaped at the end, unless it was reaped before.
struct Child {
  Child() {
    const Truce truce;
    pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0)
      for (;;) ::pause();
  }
  ~Child() {
    const Truce truce;
    if (::kill(pid, SIGKILL) == 0) ::waitpid(pid, nullptr, 0);
  }
  void kill() const { REQUIRE(::kill(pid, SIGKILL) == 0); }
  pid_t pid;
};

Task<int> wait_for(ChildWatcher& watcher) { co_return co_await watcher.wait(); }

bool has_children() {
  const Truce truce;
  return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
}

// ---- Watching a child.

TEST_CASE("a child whose pidfd cannot be opened is watched by SIGCHLD, unless only a pidfd will do",
          "[faults]") {
  for (const int error : {EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM, ENOSYS}) {
    if (!testing::kHasPidfd) break;
    INFO(named(Call::pidfd_open, error));
    TestLoop loop;
    const Child child;
    const int open = open_descriptors();
    {
      const Injection fault(Call::pidfd_open, error);
      CHECK(errno_thrown([&] { const ChildWatcher watcher(child.pid, ChildExit::pidfd, loop); }) == error);
      CHECK(fault.hits() == 1);
    }
    CHECK(open_descriptors() == open);
    const Injection fault(Call::pidfd_open, error);
    ChildWatcher watcher(child.pid, ChildExit::automatic, loop);
    CHECK(fault.hits() == 1);
    CHECK(watcher.how() == ChildExit::sigchld);
    child.kill();
    CHECK(loop.run(wait_for(watcher)) == -SIGKILL);
  }
}

TEST_CASE("a child whose watch the poller or sigaction() refuses is not watched, and can be watched again",
          "[faults][poller]") {
  for (const ChildExit how : testing::ways_to_watch()) {
    const Call call = how == ChildExit::pidfd ? Call::poller_update : Call::sigaction;
    for (const int error : {EINVAL, ENOMEM}) {
      INFO(named(call, error));
      TestLoop loop;
      const Child child;
      const int open = open_descriptors();
      {
        const Injection fault(call, error);
        CHECK(errno_thrown([&] { const ChildWatcher watcher(child.pid, how, loop); }) == error);
        CHECK(fault.hits() == 1);
      }
      CHECK(open_descriptors() == open);
      ChildWatcher watcher(child.pid, how, loop);
      child.kill();
      CHECK(loop.run(wait_for(watcher)) == -SIGKILL);
    }
  }
}

TEST_CASE("a waitpid() that is interrupted is repeated, and one that fails gives an unknown status",
          "[faults]") {
  for (const ChildExit how : testing::ways_to_watch()) {
    TestLoop loop;
    const Child first;
    ChildWatcher watcher(first.pid, how, loop);
    {
      const Injection fault(Call::waitpid, EINTR, {.times = 3});
      first.kill();
      CHECK(loop.run(wait_for(watcher)) == -SIGKILL);
      CHECK(fault.hits() == 3);
    }
    const Child second;
    ChildWatcher other(second.pid, how, loop);
    const Injection fault(Call::waitpid, ECHILD);
    second.kill();
    CHECK(loop.run(wait_for(other)) == 255);
    CHECK(fault.hits() == 1);
    loop.log.expect("was reaped by other code");
  }
}

TEST_CASE("a signal that cannot be sent is an error, except to a child that has ended", "[faults]") {
  for (const ChildExit how : testing::ways_to_watch()) {
    const Call call = how == ChildExit::pidfd ? Call::pidfd_send_signal : Call::kill;
    TestLoop loop;
    const Child child;
    ChildWatcher watcher(child.pid, how, loop);
    for (const int error : {EINVAL, EPERM, ESRCH}) {
      INFO(named(call, error));
      const Injection fault(call, error);
      CHECK(errno_thrown([&] { watcher.send_signal(SIGKILL); }) == (error == ESRCH ? 0 : error));
      CHECK(fault.hits() == 1);
    }
    watcher.send_signal(SIGKILL);
    CHECK(loop.run(wait_for(watcher)) == -SIGKILL);
  }
}

// ---- fork_processes().

// Calls fork_processes(); a child waits for its end by SIGTERM, for which Catch2 has a handler.
int errno_of_forking() {
  struct sigaction before{};
  {
    const Truce truce;
    ::sigaction(SIGTERM, nullptr, &before);
    struct sigaction deadly{};
    deadly.sa_handler = SIG_DFL;
    ::sigaction(SIGTERM, &deadly, nullptr);
  }
  const int error = errno_thrown([] {
    fork_processes(3);
    for (;;) ::pause();
  });
  const Truce truce;
  ::sigaction(SIGTERM, &before, nullptr);
  return error;
}

TEST_CASE("if a fork fails, fork_processes() ends the other children, reaps them, and throws", "[faults]") {
  for (const int error : {EAGAIN, ENOMEM, ENOSYS}) {
    for (const int after : {0, 1, 2}) {
      INFO(named(Call::fork, error) << " after " << after);
      const Injection fault(Call::fork, error, {.after = after});
      CHECK(errno_of_forking() == error);
      CHECK_FALSE(has_children());
    }
  }
}

TEST_CASE("fork_processes() reaps its children although a waitpid() is interrupted", "[faults]") {
  const Injection fault(Call::fork, EAGAIN, {.after = 2});
  const Injection interrupted(Call::waitpid, EINTR, {.times = 2});
  CHECK(errno_of_forking() == EAGAIN);
  CHECK(interrupted.hits() == 2);
  CHECK_FALSE(has_children());
}

TEST_CASE("fork_processes() without its signals makes no child, and leaves signals as they were",
          "[faults]") {
  sigset_t mask_before;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_before);
  struct sigaction before{};
  ::sigaction(SIGTERM, nullptr, &before);
  for (const Call call : {Call::sigprocmask, Call::sigaction}) {
    int hits = 0;
    // For sigaction two calls a signal, of which some may be ignored.
    for (int after = 0; after < (call == Call::sigaction ? 6 : 1); ++after) {
      INFO(named(call, EINVAL) << " after " << after);
      {
        const Injection fault(call, EINVAL, {.after = after});
        const Injection fork(Call::fork, EAGAIN);
        const int thrown = errno_of_forking();
        if (fault.hits() == 0) break;
        CHECK(thrown == EINVAL);
        CHECK(fork.hits() == 0);
        ++hits;
      }
      CHECK_FALSE(has_children());
      sigset_t mask;
      ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
      for (const int signal : {SIGCHLD, SIGTERM, SIGINT})
        CHECK(::sigismember(&mask, signal) == ::sigismember(&mask_before, signal));
      struct sigaction now{};
      ::sigaction(SIGTERM, nullptr, &now);
      CHECK(now.sa_handler == before.sa_handler);
    }
    CHECK(hits > 0);
  }
}

// ---- The signal mask.

TEST_CASE("a SignalBlock whose pthread_sigmask() fails leaves the mask as it was", "[faults]") {
  sigset_t usr1;
  ::sigemptyset(&usr1);
  ::sigaddset(&usr1, SIGUSR1);
  const SignalBlock outer(usr1);
  sigset_t usr2;
  ::sigemptyset(&usr2);
  ::sigaddset(&usr2, SIGUSR2);
  {
    const Injection fault(Call::pthread_sigmask, EINVAL);
    const SignalBlock inner(usr2);
    CHECK(fault.hits() == 1);
  }
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  CHECK(::sigismember(&mask, SIGUSR1) == 1);
  CHECK(::sigismember(&mask, SIGUSR2) == 0);
}

}  // namespace
}  // namespace squall::process_faults_test
