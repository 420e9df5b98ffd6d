#pragma once

#include <squall/ioloop/base/frame_pool.h>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
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

// The end of a task: resumes the coroutine that awaits the task, or tells the owner.
class PromiseBase {
 public:
  static void* operator new(std::size_t size) { return FramePool::allocate(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { FramePool::release(frame, size); }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  auto final_suspend() const noexcept { return FinalAwaiter{}; }

  // Whether it was awaited or started.
  bool has_begun() const noexcept { return owner_ || continuation_; }
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

// The promise of Task<T>: its result.
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

}  // namespace squall
