#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/running_coroutine.h>
#include <squall/ioloop/loop/task_promise.h>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

namespace squall {

// A coroutine that has not started, and its result.
//
// A task is lazy: the body starts when the task is awaited, or given to a TaskGroup or IOLoop::spawn().
// Awaiting runs the body in place, without passing through the loop, and returns its value or throws its
// exception.
//
// Lifetime:  the task owns the coroutine. Destroying the task cancels the work: it destroys the coroutine
//            where it is suspended, innermost frame first, and so runs the destructors of its locals. Each
//            task of a chain needs some stack for it: 8 MB suffice for 100,000. A coroutine must not be
//            destroyed while it runs.
// Thread:    the thread of the loop it waits on.
template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;
  using value_type = T;

  Task() noexcept = default;
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() { reset(); }

  // False after a move or reset().
  explicit operator bool() const noexcept { return static_cast<bool>(handle_); }
  // Cancels the work.
  void reset() noexcept {
    Handle handle = std::exchange(handle_, nullptr);
    if (!handle) return;
    if (detail::RunningCoroutine::is(handle)) [[unlikely]]
      detail::ForcedDestruction::reach_running_task();
    handle.destroy();
  }

  class Awaiter {
   public:
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(detail::Caller caller) noexcept {
      handle_.promise().resume_when_done(caller);
      return detail::RunningCoroutine::transfer(handle_);
    }
    T await_resume() { return handle_.promise().take(); }

   private:
    friend class Task;
    explicit Awaiter(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
  };

  // Awaited once, as `co_await std::move(task)` or `co_await function()`. Throws as check_startable().
  Awaiter operator co_await() && {
    check_startable();
    return Awaiter(handle_);
  }

  // For owners (TaskGroup): starts the work, which calls owner.task_ended(number) when it has ended.
  // A task that check_startable() refuses ends the program.
  void start(detail::TaskOwner& owner, std::size_t number = 0) noexcept {
    check_startable();
    const Handle handle = handle_;  // the coroutine may move this task
    handle.promise().tell_when_done(owner, number);
    detail::RunningCoroutine::resume(handle);
  }
  // Throws std::logic_error if the task was moved from, or has begun already.
  void check_startable() const {
    if (!handle_) [[unlikely]]
      throw_logic_error("this Task was moved from");
    if (handle_.promise().has_begun()) [[unlikely]]
      throw_logic_error("this Task was awaited or started before");
  }
  // For owners, once the task has ended: returns the value or throws the error.
  T result() { return handle_.promise().take(); }
  // For owners, once the task has ended: the error, or null.
  std::exception_ptr error() const noexcept { return handle_.promise().error(); }

 private:
  using Handle = std::coroutine_handle<promise_type>;
  friend promise_type;
  explicit Task(Handle handle) noexcept : handle_(handle) {}

  Handle handle_;
};

namespace detail {

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
template <class T>
Task<T&> TaskPromise<T&>::get_return_object() noexcept {
  return Task<T&>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

}  // namespace detail
}  // namespace squall
