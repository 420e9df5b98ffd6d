#pragma once

#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/loop/running_coroutine.h>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <utility>
#include <variant>

namespace squall {

template <class T = void>
class Task;
class TaskGroup;

namespace detail {

class PromiseBase;

// A coroutine that awaits, as the parameter of an await_suspend(). If it is a task, the coroutine that awaits
// that task can be found in turn.
class Caller {
 public:
  Caller() noexcept = default;
  template <class Promise>
  Caller(std::coroutine_handle<Promise> coroutine) noexcept
      : bits_(reinterpret_cast<std::uintptr_t>(coroutine.address())) {
    if constexpr (std::derived_from<Promise, PromiseBase>) {
      // A stricter alignment would move the promise inside the frame.
      if constexpr (alignof(Promise) <= 2 * sizeof(void*)) bits_ |= kIsTask;
    }
  }

  explicit operator bool() const noexcept { return bits_ != 0; }
  operator std::coroutine_handle<>() const noexcept {
    return std::coroutine_handle<>::from_address(address());
  }
  // Null if the coroutine is not a task.
  const PromiseBase* task() const noexcept;

 private:
  static constexpr std::uintptr_t kIsTask = 1;  // a bit that is 0 in addresses of frames

  void* address() const noexcept { return reinterpret_cast<void*>(bits_ & ~kIsTask); }

  std::uintptr_t bits_ = 0;
};

// Base class of types that run tasks without awaiting them (TaskGroup, multi(), race()): calls them when a
// task has ended.
class TaskOwner {
 public:
  // Task `number` has its result and is at its final suspension. Called from within the task's last
  // resumption, so this call must not destroy the task. The returned coroutine is resumed by symmetric
  // transfer and may destroy the task; std::noop_coroutine() resumes no coroutine.
  virtual std::coroutine_handle<> task_ended(std::size_t number) noexcept = 0;

  // The coroutine that waits for the tasks; empty if none does.
  virtual Caller caller() const noexcept { return {}; }
  // The group that owns the tasks; null if no group does.
  virtual const TaskGroup* group() const noexcept { return nullptr; }

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
  bool has_begun() const noexcept { return owner_ || caller_; }
  void resume_when_done(Caller caller) noexcept { caller_ = caller; }
  void tell_when_done(TaskOwner& owner, std::size_t number) noexcept {
    owner_ = &owner;
    number_ = number;
  }

  // The group in which the task runs: as a task of the group, or awaited by a task of the group, through any
  // number of tasks. Null without a group, or if a coroutine of another type awaits one of these tasks.
  const TaskGroup* group() const noexcept {
    const PromiseBase* task = this;
    while (task) {
      const TaskGroup* const group = task->owner_ ? task->owner_->group() : nullptr;
      if (group) return group;
      task = (task->owner_ ? task->owner_->caller() : task->caller_).task();
    }
    return nullptr;
  }

 private:
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      PromiseBase& promise = self.promise();
      return RunningCoroutine::transfer(promise.owner_ ? promise.owner_->task_ended(promise.number_)
                                                       : std::coroutine_handle<>(promise.caller_));
    }
    void await_resume() const noexcept {}
  };

  TaskOwner* owner_ = nullptr;
  union {
    Caller caller_ = {};  // if the task is awaited
    std::size_t number_;  // if the task has an owner
  };
};

inline const PromiseBase* Caller::task() const noexcept {
  if ((bits_ & kIsTask) == 0) return nullptr;
  return &std::coroutine_handle<PromiseBase>::from_address(address()).promise();
}

// co_await ThisTask(): returns the promise of the task that awaits it, without waiting.
class ThisTask {
 public:
  bool await_ready() const noexcept { return false; }
  template <std::derived_from<PromiseBase> Promise>
  bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
    promise_ = &task.promise();
    return false;
  }
  const PromiseBase& await_resume() const noexcept { return *promise_; }

 private:
  const PromiseBase* promise_ = nullptr;
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
