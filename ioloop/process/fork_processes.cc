#include <squall/ioloop/process/fork_processes.h>

#include <squall/ioloop/base/cpu_count.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/signal_set.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/process/thread_pool.h>

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace squall {
namespace {

using namespace std::chrono_literals;

// The time that children have to end after SIGTERM, before SIGKILL.
constexpr auto kGrace = 5s;
constexpr auto kNap = 10ms;

std::optional<int> g_task_id;

constexpr std::array kSignals = {SIGCHLD, SIGTERM, SIGINT};
// The last signal that ends the children; 0 before the first.
volatile sig_atomic_t g_ending = 0;
volatile sig_atomic_t g_to_pass_on = 0;

// The terminal sends Ctrl-C to the children too. In POSIX a process that sends a signal gives it a code of
// zero or less, but SI_USER and SI_QUEUE are positive on some systems.
bool is_of_the_terminal(const siginfo_t& info) noexcept {
  return info.si_code > 0 && info.si_code != SI_USER && info.si_code != SI_QUEUE;
}

void on_signal(int signal, siginfo_t* info, void*) {
  if (signal == SIGCHLD) return;
  g_ending = signal;
  if (signal == SIGINT && is_of_the_terminal(*info)) return;
  g_to_pass_on = signal;
}

// The parent's signals while it waits. They are blocked except in wait(), so that no signal is lost between
// a check of the children and the next wait.
class ParentSignals {
 public:
  ParentSignals() {
    g_ending = 0;
    g_to_pass_on = 0;
    const sigset_t blocked = signal_set({SIGCHLD, SIGTERM, SIGINT});
    if (::sigprocmask(SIG_BLOCK, &blocked, &mask_before_) != 0) throw_errno("sigprocmask");
    open_ = mask_before_;
    for (const int signal : kSignals) {
      if (handle(signal)) continue;
      const int error = errno;
      restore();
      throw std::system_error(error, std::generic_category(), "sigaction");
    }
  }
  ~ParentSignals() { restore(); }
  ParentSignals(const ParentSignals&) = delete;
  ParentSignals& operator=(const ParentSignals&) = delete;

  // Waits until a signal has arrived.
  void wait() const noexcept { ::sigsuspend(&open_); }

 private:
  // False with errno.
  bool handle(int signal) noexcept {
    struct sigaction before{};
    if (::sigaction(signal, nullptr, &before) != 0) return false;
    // Ignored signals stay ignored, as nohup expects.
    if (signal != SIGCHLD && before.sa_handler == SIG_IGN) return true;
    struct sigaction action{};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO;
    action.sa_mask = all_signals_but();
    if (::sigaction(signal, &action, nullptr) != 0) return false;
    before_[handled_++] = {signal, before};
    static_cast<void>(sigdelset(&open_, signal));
    return true;
  }
  void restore() noexcept {
    for (std::size_t i = 0; i < handled_; ++i) ::sigaction(before_[i].signal, &before_[i].action, nullptr);
    ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
  }

  struct Before {
    int signal;
    struct sigaction action;
  };
  std::array<Before, kSignals.size()> before_{};
  std::size_t handled_ = 0;  // the number of entries of before_
  sigset_t mask_before_{};
  sigset_t open_{};  // the mask of wait()
};

void seed_generators() {
  std::random_device system;
  std::srand(system());
  ::srandom(system());
  ::srand48(static_cast<long>(system()));
}

// As waitpid() with WNOHANG.
pid_t reap(pid_t pid, int* status) noexcept {
  pid_t reaped;
  do {
    reaped = ::waitpid(pid, status, WNOHANG);
  } while (reaped < 0 && errno == EINTR);
  return reaped;
}

// The parent's record of a child.
struct Member {
  int id;
  pid_t pid;  // 0 once it has ended
};

class Parent {
 public:
  Parent(int count, ForkOptions options) : restarts_left_(options.max_restarts) {
    for (int id = 0; id < count; ++id) members_.push_back({id, 0});
  }

  // Forks all children, and returns when all have ended. True in each child.
  bool run(const ParentSignals& signals) {
    for (Member& member : members_)
      if (start(member)) return true;
    for (;;) {
      bool are_left = false;
      for (Member& member : members_) {
        if (member.pid != 0 && look_at(member)) return true;
        are_left = are_left || member.pid != 0;
      }
      if (!are_left) return false;
      if (g_to_pass_on != 0) signal_all(g_to_pass_on);
      g_to_pass_on = 0;
      signals.wait();
    }
  }
  // Every child that was not restarted exited with status 0.
  bool all_ended_well() const noexcept { return all_ended_well_; }

 private:
  // True in the child.
  bool start(Member& member) {
    // Otherwise every child would write the contents of the buffers again.
    std::fflush(nullptr);
    const pid_t pid = ::fork();
    if (pid < 0) {
      const int error = errno;
      end_children();
      throw std::system_error(error, std::generic_category(), "fork");
    }
    if (pid == 0) {
      g_task_id = member.id;
      return true;
    }
    member.pid = pid;
    return false;
  }

  // Starts a new child in place of a child that has failed. True in the new child.
  bool look_at(Member& member) {
    int status = 0;
    const pid_t ended = reap(member.pid, &status);
    if (ended == 0) return false;
    const pid_t pid = std::exchange(member.pid, 0);
    // Other code of this process has reaped the child, and has its status.
    if (ended < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
      log::general().info("child {} (pid {}) exited normally", member.id, pid);
      return false;
    }
    const std::string how = WIFSIGNALED(status) ? fmt::format("killed by signal {}", WTERMSIG(status))
                                                : fmt::format("exited with status {}", WEXITSTATUS(status));
    if (g_ending != 0) {
      log::general().info("child {} (pid {}) {}", member.id, pid, how);
      all_ended_well_ = false;
      return false;
    }
    log::general().warning("child {} (pid {}) {}, restarting", member.id, pid, how);
    if (restarts_left_-- <= 0) {
      end_children();
      throw std::runtime_error("Too many child restarts, giving up");
    }
    return start(member);
  }

  void signal_all(int signal) const noexcept {
    for (const Member& member : members_)
      if (member.pid != 0) ::kill(member.pid, signal);
  }

  void end_children() noexcept {
    signal_all(SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + kGrace;
    for (Member& member : members_) {
      while (member.pid != 0 && reap(member.pid, nullptr) == 0) {
        if (std::chrono::steady_clock::now() >= deadline) ::kill(member.pid, SIGKILL);
        std::this_thread::sleep_for(kNap);
      }
      member.pid = 0;
    }
  }

  std::vector<Member> members_;
  int restarts_left_;
  bool all_ended_well_ = true;
};

void check_that_forking_is_safe() {
  if (g_task_id) throw std::logic_error("fork_processes() was called already: this is one of its children");
  if (IOLoop::live_loops() > 0)
    throw std::logic_error(
        "fork_processes() must be called before an IOLoop is made: it does not survive a fork");
  if (ThreadPool::live_threads() > 0)
    throw std::logic_error(
        "fork_processes() must be called before a ThreadPool has threads: threads do not survive a fork");
}

// Ends the parent by the signal, as if it had no children: not all of them exited with status 0 after the
// signal.
[[noreturn]] void die_by(int signal) {
  std::fflush(nullptr);
  ::signal(signal, SIG_DFL);
  const sigset_t set = signal_set({signal});
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::raise(signal);
  std::_Exit(128 + signal);
}

}  // namespace

int fork_processes(std::optional<int> wanted, ForkOptions options) {
  check_that_forking_is_safe();
  const int count = wanted ? *wanted : cpu_count();
  if (count < 1) throw std::invalid_argument(fmt::format("fork_processes() cannot make {} processes", count));
  log::general().info("Starting {} processes", count);
  bool ended_well = true;
  {
    const ParentSignals signals;
    Parent parent(count, options);
    if (!parent.run(signals)) ended_well = parent.all_ended_well();
  }
  if (g_task_id) {
    seed_generators();
    return *g_task_id;
  }
  if (!ended_well) die_by(g_ending);
  std::exit(0);
}

std::optional<int> task_id() noexcept { return g_task_id; }

}  // namespace squall
