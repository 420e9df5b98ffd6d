#pragma once

#include <squall/ioloop/loop/child_reaper.h>

#include <sys/types.h>

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>

namespace squall {

// Tells when a child process ends, and how.
//
// A return code is the exit status, or minus the number of the signal that killed the child (PRC-11); 255 if
// somebody else in the process took the status.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows `loop`. Destruction leaves the child as it is: the loop still reaps it when it ends.
class ChildWatcher {
 public:
  // `pid` is a child of this process that nobody else waits for. It may have ended already. Throws
  // std::system_error if the system refuses, std::logic_error if SIGCHLD is needed and belongs to another
  // loop.
  explicit ChildWatcher(pid_t pid, ChildExit how = ChildExit::automatic, IOLoop& loop = IOLoop::current())
      : child_(loop.children().watch(pid, how)) {}
  ChildWatcher(ChildWatcher&&) noexcept = default;
  ChildWatcher& operator=(ChildWatcher&&) = delete;
  ~ChildWatcher();

  // False once moved from.
  explicit operator bool() const noexcept { return child_ != nullptr; }
  pid_t pid() const noexcept { return child_->pid; }
  // None until the loop has seen the child's end.
  std::optional<int> returncode() const noexcept { return child_->returncode; }
  // Which of the two ways tells of the end. Of a child that has ended: sigchld.
  ChildExit how() const noexcept { return child_->pidfd ? ChildExit::pidfd : ChildExit::sigchld; }

  // co_await watcher.wait(): the return code. Any number of tasks may wait; the watcher may be destroyed
  // meanwhile.
  class Wait;
  Wait wait() const noexcept;
  // Calls `callback` once, through the loop's queue, when the child has ended, also if that was before this
  // call (PRC-12). Not after the watcher was destroyed. An empty one clears it.
  void set_exit_callback(std::function<void(int returncode)> callback);
  // Does nothing once the child has ended. Throws std::system_error (EPERM, EINVAL).
  void send_signal(int signal);

 private:
  std::shared_ptr<ChildReaper::Child> child_;  // none once moved from
};

class [[nodiscard]] ChildWatcher::Wait {
 public:
  explicit Wait(std::shared_ptr<ChildReaper::Child> child) noexcept
      : child_(std::move(child)), waiter_(child_->reaper.loop()) {}
  bool await_ready() const noexcept { return child_->returncode.has_value(); }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept {
    waiter_.wait_in(child_->waiting, coroutine);
  }
  int await_resume() const noexcept { return *child_->returncode; }

 private:
  std::shared_ptr<ChildReaper::Child> child_;
  Waiter waiter_;
};

inline ChildWatcher::Wait ChildWatcher::wait() const noexcept { return Wait(child_); }

}  // namespace squall
