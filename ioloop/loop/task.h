#pragma once

#include <squall/ioloop/base/frame_pool.h>

#include <cassert>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

namespace squall {

template <class T = void>
class Task;

namespace detail {

// Base class of types that run tasks without awaiting them (TaskGroup, multi(), race()): calls them when a
// task has ended.
class TaskOwner {
 public:
  // Task `number` has its result and is at its final suspension. Called from within the task's last
  // resumption, so this call must not destroy the task. The returned coroutine is resumed by symmetric
  // transfer and may destroy the task; std::noop_coroutine() resumes no coroutine.
  virtual std::coroutine_handle<> task_ended(std::size_t number) noexcept = 0;

 protected:
  ~TaskOwner() = default;
};

class PromiseBase {
 public:
  static void* operator new(std::size_t size) { return FramePool::allocate(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { FramePool::release(frame, size); }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  auto final_suspend() const noexcept { return FinalAwaiter{}; }

  void resume_when_done(std::coroutine_handle<> caller) noexcept { continuation_ = caller; }
  void tell_when_done(TaskOwner& owner, std::size_t number) noexcept {
    owner_ = &owner;
    number_ = number;
  }

 private:
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      PromiseBase& promise = self.promise();
      if (promise.owner_) return promise.owner_->task_ended(promise.number_);
      return promise.continuation_;
    }
    void await_resume() const noexcept {}
  };

  TaskOwner* owner_ = nullptr;
  union {
    std::coroutine_handle<> continuation_ = {};  // if the task is awaited
    std::size_t number_;                         // if the task has an owner
  };
};

template <class T>
class TaskPromise final : public PromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  template <std::convertible_to<T> Value = T>
  void return_value(Value&& value) {
    result_.template emplace<1>(std::forward<Value>(value));
  }
  void unhandled_exception() noexcept { result_.template emplace<2>(std::current_exception()); }
  T take() {
    if (result_.index() == 2) std::rethrow_exception(std::get<2>(result_));
    return std::move(std::get<1>(result_));
  }
  std::exception_ptr error() const noexcept {
    const std::exception_ptr* error = std::get_if<2>(&result_);
    return error ? *error : nullptr;
  }

 private:
  std::variant<std::monostate, T, std::exception_ptr> result_;
};

template <class T>
class TaskPromise<T&> final : public PromiseBase {
 public:
  Task<T&> get_return_object() noexcept;
  void return_value(T& value) noexcept { value_ = &value; }
  void unhandled_exception() noexcept { error_ = std::current_exception(); }
  T& take() {
    if (error_) std::rethrow_exception(error_);
    return *value_;
  }
  std::exception_ptr error() const noexcept { return error_; }

 private:
  T* value_ = nullptr;
  std::exception_ptr error_;
};

template <>
class TaskPromise<void> final : public PromiseBase {
 public:
  inline Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { error_ = std::current_exception(); }
  void take() {
    if (error_) std::rethrow_exception(error_);
  }
  std::exception_ptr error() const noexcept { return error_; }

 private:
  std::exception_ptr error_;
};

}  // namespace detail

// A coroutine that has not started, and its result.
//
// Lazy: the body starts when the task is awaited, or given to a TaskGroup or IOLoop::spawn(). Awaiting
// runs it in place, without passing through the loop, and returns its value or throws its exception.
//
// Lifetime:  the task owns the coroutine. Destroying the task cancels the work: it destroys the coroutine
//            where it is suspended, innermost frame first, and so runs the destructors of its locals. A
//            coroutine must not be destroyed while it runs.
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
    if (Handle handle = std::exchange(handle_, nullptr)) handle.destroy();
  }

  class Awaiter {
   public:
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
      handle_.promise().resume_when_done(caller);
      return handle_;
    }
    T await_resume() { return handle_.promise().take(); }

   private:
    friend class Task;
    explicit Awaiter(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
  };

  // Awaited once, as `co_await std::move(task)` or `co_await function()`.
  Awaiter operator co_await() && noexcept {
    assert(handle_ && "this Task was moved from");
    return Awaiter(handle_);
  }

  // For owners (TaskGroup): starts the work, which calls owner.task_ended(number) when it has ended.
  void start(detail::TaskOwner& owner, std::size_t number = 0) noexcept {
    assert(handle_ && "this Task was moved from");
    const Handle handle = handle_;  // the coroutine may move this task
    handle.promise().tell_when_done(owner, number);
    handle.resume();
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
