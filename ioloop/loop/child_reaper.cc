#include <squall/ioloop/loop/child_reaper.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/pidfd.h>

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

namespace squall {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 1s;
constexpr auto kNap = 1ms;

// The return code of a child that other code has reaped.
constexpr int kUnknown = 255;

// Whether the child has ended, and how: its exit status, or minus the signal that killed it (PRC-11).
std::optional<int> reap(pid_t pid) noexcept {
  int status = 0;
  pid_t reaped;
  do {
    reaped = ::waitpid(pid, &status, WNOHANG);
  } while (reaped < 0 && errno == EINTR);
  if (reaped == 0) return std::nullopt;
  if (reaped > 0) return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  log::general().warning("Child process {} was reaped by other code; its exit status is reported as {}", pid,
                         kUnknown);
  return kUnknown;
}

}  // namespace

[[gnu::cold]] ChildReaper::~ChildReaper() {
  for (const auto& child : children_) {
    if (child->pidfd) loop_.remove_handler(child->pidfd.get());
  }
  if (has_sigchld_) loop_.remove_signal_handler(SIGCHLD);
  // A callback may own its child's Subprocess, whose destructor kills the child.
  for (const auto& child : children_) std::exchange(child->callback, nullptr);
  wait_for_killed();
}

std::shared_ptr<ChildReaper::Child> ChildReaper::watch(pid_t pid, ChildExit how) {
  auto child = std::make_shared<Child>(*this, pid);
  children_.push_back(child);
  try {
    if (how != ChildExit::sigchld) watch_pidfd(*child, how);
    if (!child->pidfd) watch_sigchld();
  } catch (...) {
    forget(*child);
    throw;
  }
  // The child may have ended before the loop began to listen.
  check(*child);
  return child;
}

void ChildReaper::watch_pidfd(Child& child, ChildExit how) {
  child.pidfd = open_pidfd(child.pid);
  if (!child.pidfd) {
    if (how == ChildExit::pidfd) throw_errno("pidfd_open");
    return;
  }
  loop_.add_handler(child.pidfd.get(), Events::read,
                    {[](void* context, Events) {
                       auto& child = *static_cast<Child*>(context);
                       child.reaper.check(child);
                     },
                     &child});
}

void ChildReaper::watch_sigchld() {
  if (has_sigchld_) return;
  loop_.add_signal_handler(SIGCHLD, [this] { check_all(); });
  has_sigchld_ = true;
}

void ChildReaper::check_all() {
  // Signals of the same kind merge, so one signal may report several children.
  const std::vector<std::shared_ptr<Child>> children = children_;
  for (const auto& child : children) {
    if (!child->pidfd) check(*child);
  }
}

void ChildReaper::check(Child& child) {
  child.returncode = reap(child.pid);
  if (!child.returncode) return;
  const std::shared_ptr<Child> kept = child.shared_from_this();
  forget(child);
  child.waiting.wake_all();
  deliver(child);
}

void ChildReaper::deliver(Child& child) {
  if (!child.returncode || !child.callback) return;
  child.ticket = child.loop->call_soon(
      [callback = std::exchange(child.callback, nullptr), code = *child.returncode] { callback(code); });
}

void ChildReaper::forget(Child& child) noexcept {
  if (child.pidfd) loop_.remove_handler(child.pidfd.get());
  child.pidfd.reset();
  std::erase_if(children_, [&child](const auto& each) { return each.get() == &child; });
  const bool needs_sigchld =
      std::any_of(children_.begin(), children_.end(), [](const auto& each) { return !each->pidfd; });
  if (has_sigchld_ && !needs_sigchld) {
    loop_.remove_signal_handler(SIGCHLD);
    has_sigchld_ = false;
  }
}

void ChildReaper::wait_for_killed() noexcept {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (const auto& child : children_) {
    while (child->killed && !child->returncode) {
      child->returncode = reap(child->pid);
      if (child->returncode) break;
      if (std::chrono::steady_clock::now() >= deadline) {
        log::general().warning("Child process {} was killed and has not ended", child->pid);
        break;
      }
      std::this_thread::sleep_for(kNap);
    }
  }
}

}  // namespace squall
