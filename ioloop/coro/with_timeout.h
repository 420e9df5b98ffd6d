#pragma once

#include <squall/ioloop/loop/awaitable.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>

#include <cassert>
#include <coroutine>
#include <utility>

namespace squall {

// What with_timeout() returns: a race of one task and one timer, in which the loser is destroyed. May be
// moved until it is awaited.
template <class T>
class [[nodiscard]] TimeoutAwaiter {
 public:
  TimeoutAwaiter(IOLoop& loop, IOLoop::TimePoint deadline, Task<T> task) noexcept
      : loop_(loop),
        deadline_(deadline),
        task_(std::move(task)),
        inner_(std::move(task_).operator co_await()) {}
  TimeoutAwaiter(TimeoutAwaiter&& other) noexcept
      : loop_(other.loop_), deadline_(other.deadline_), task_(std::move(other.task_)), inner_(other.inner_) {
    assert(!other.timeout_ && "this with_timeout() has begun");
  }
  TimeoutAwaiter& operator=(TimeoutAwaiter&&) = delete;
  ~TimeoutAwaiter() { loop_.remove_timeout(timeout_); }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
    timeout_ = loop_.call_at(deadline_, [this, caller] {
      timed_out_ = true;
      task_.reset();  // suspended somewhere below; what it waits for withdraws itself
      loop_.resume(caller);
    });
    return inner_.await_suspend(caller);
  }
  T await_resume() {
    loop_.remove_timeout(timeout_);
    if (timed_out_) throw TimeoutError();
    return inner_.await_resume();
  }

 private:
  IOLoop& loop_;
  IOLoop::TimePoint deadline_;
  Task<T> task_;
  typename Task<T>::Awaiter inner_;
  Timeout timeout_;
  bool timed_out_ = false;
};

// co_await with_timeout(5s, work()): what the task, or any other awaitable, gives, or TimeoutError once the
// deadline has passed. Unlike Tornado's (GEN-12), which lets it run on, the task is then cancelled. A
// time_point is absolute, so deadlines can be handed down through calls without starting afresh.
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
