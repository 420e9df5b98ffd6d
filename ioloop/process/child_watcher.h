#pragma once

#include <squall/ioloop/base/void_function.h>
#include <squall/ioloop/loop/child_reaper.h>

#include <sys/types.h>

#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

namespace squall {

// Waits for the end of a child process.
//
// Result:    a return code: the exit status, or minus the number of the signal that killed the child
//            (PRC-11); 255 if other code of the process has reaped the child.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows `loop`. The destructor does not affect the child: the loop still reaps it when it ends.
class ChildWatcher {
 public:
  // `pid` is a child of this process that no other code waits for. It may have ended already. Throws
  // std::system_error if the system refuses the call, std::logic_error if SIGCHLD is needed and another
  // loop handles it.
  explicit ChildWatcher(pid_t pid, ChildExit how = ChildExit::automatic, IOLoop& loop = IOLoop::current())
      : child_(loop.children().watch(pid, how)) {}
  ChildWatcher(ChildWatcher&&) noexcept = default;
  ChildWatcher& operator=(ChildWatcher&&) = delete;
  ~ChildWatcher();

  // False after a move.
  explicit operator bool() const noexcept { return child_ != nullptr; }
  pid_t pid() const noexcept { return child_->pid; }
  // nullopt until the loop has reaped the child.
  std::optional<int> returncode() const noexcept { return child_->returncode; }
  // How the loop learns of the end; ChildExit::sigchld for a child that has ended.
  ChildExit how() const noexcept { return child_->pidfd ? ChildExit::pidfd : ChildExit::sigchld; }

  // co_await watcher.wait(): returns the return code. Any number of tasks may wait, and the watcher may be
  // destroyed meanwhile.
  class Wait;
  Wait wait() const noexcept;
  // Calls `callback(returncode)` once, through the loop's queue, when the child has ended, also if it ended
  // before this call (PRC-12). The callback is not called after the watcher was destroyed. An empty function
  // removes the callback.
  void set_exit_callback(VoidFunction<int> callback);
  // Does nothing once the child has ended. Throws std::system_error (EPERM, EINVAL).
  void send_signal(int signal);

 private:
  std::shared_ptr<ChildReaper::Child> child_;  // null after a move
};

class [[nodiscard]] ChildWatcher::Wait {
 public:
  explicit Wait(std::shared_ptr<ChildReaper::Child> child) noexcept
      : child_(std::move(child)), waiter_(*child_->loop) {}
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
