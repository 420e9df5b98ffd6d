#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/task.h>

#include <coroutine>
#include <utility>

namespace squall::web {

// Waits for the task of a stage, which may be cancelled meanwhile.
//
//     StageWait wait(std::move(task));
//     const StageWait::End end = co_await wait;
//
// Lifetime:  owns the task. Destroying a StageWait cancels it.
// Errors:    awaiting throws the exception of the task.
class StageWait {
 public:
  enum class End : bool { task_ended, cancelled };

  // Throws std::logic_error for a task that cannot be started.
  explicit StageWait(Task<> task) : task_(std::move(task)), inner_(std::move(task_).operator co_await()) {}
  StageWait(const StageWait&) = delete;
  StageWait& operator=(const StageWait&) = delete;

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(squall::detail::Caller caller) noexcept {
    caller_ = caller;
    return inner_.await_suspend(caller);
  }
  End await_resume() {
    if (is_cancelled_) return End::cancelled;
    const Task<> ended = std::move(task_);
    inner_.await_resume();
    return End::task_ended;
  }

  // Destroys the task, which is suspended, and resumes the coroutine that waits in a later turn. That
  // coroutine then takes `next`.
  void cancel(Task<> next) noexcept {
    is_cancelled_ = true;
    task_ = std::move(next);
    resume_.set(caller_);
    IOLoop::current().call_soon(resume_);
  }
  Task<> take_next() noexcept { return std::move(task_); }

 private:
  Task<> task_;
  Task<>::Awaiter inner_;
  std::coroutine_handle<> caller_;
  LoopHook resume_;
  bool is_cancelled_ = false;
};

}  // namespace squall::web
