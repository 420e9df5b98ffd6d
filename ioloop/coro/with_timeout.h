#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/awaitable.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>

#include <cassert>
#include <coroutine>
#include <utility>

namespace squall {

// Awaiter of with_timeout(): a task and a timer; the task is destroyed if the timer fires first. May be moved
// until it is awaited.
template <class T>
class [[nodiscard]] TimeoutAwaiter {
 public:
  TimeoutAwaiter(IOLoop& loop, IOLoop::TimePoint deadline, Task<T> task)
      : loop_(loop),
        deadline_(deadline),
        task_(std::move(task)),
        inner_(std::move(task_).operator co_await()) {}
  TimeoutAwaiter(TimeoutAwaiter&& other) noexcept
      : loop_(other.loop_), deadline_(other.deadline_), task_(std::move(other.task_)), inner_(other.inner_) {
    assert(!other.timeout_ && "this with_timeout() has begun");
  }
  TimeoutAwaiter& operator=(TimeoutAwaiter&&) = delete;
  ~TimeoutAwaiter() { loop_->remove_timeout(timeout_); }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
    timeout_ = loop_->call_at(deadline_, [this, caller] {
      timed_out_ = true;
      task_.reset();  // suspended; its awaiter withdraws itself
      loop_->resume(caller);
    });
    return inner_.await_suspend(caller);
  }
  T await_resume() {
    loop_->remove_timeout(timeout_);
    if (timed_out_) throw TimeoutError();
    return inner_.await_resume();
  }

 private:
  LoopRef loop_;
  IOLoop::TimePoint deadline_;
  Task<T> task_;
  typename Task<T>::Awaiter inner_;
  Timeout timeout_;
  bool timed_out_ = false;
};

// co_await with_timeout(5s, work()): returns the result of the awaitable, or throws TimeoutError once the
// deadline has passed, and cancels the work, unlike Tornado's (GEN-12). A time point is absolute, so a
// function can pass its deadline on to the functions it calls.
template <Awaitable A>
TimeoutAwaiter<AwaitResult<A>> with_timeout(IOLoop::TimePoint deadline, A work) {
  return {IOLoop::current(), deadline, as_task(std::move(work))};
}
template <Awaitable A>
TimeoutAwaiter<AwaitResult<A>> with_timeout(IOLoop::Duration delay, A work) {
  IOLoop& loop = IOLoop::current();
  return {loop, loop.deadline_after(delay), as_task(std::move(work))};
}

}  // namespace squall
