#pragma once

#include <squall/ioloop/process/executor.h>
#include <squall/ioloop/loop/ioloop.h>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace squall {
namespace detail {

// A job and the coroutine that waits for it. Shared by both, as either may be gone before the other.
class ExecutorJob {
 public:
  explicit ExecutorJob(IOLoop& loop) noexcept : loop_(loop) {}
  virtual ~ExecutorJob() = default;
  ExecutorJob(const ExecutorJob&) = delete;
  ExecutorJob& operator=(const ExecutorJob&) = delete;

  // On the loop's thread. `waiter` is resumed, in a later turn, once the job is done.
  static void submit(const std::shared_ptr<ExecutorJob>& job, Executor& executor,
                     std::coroutine_handle<> waiter);
  // On the loop's thread: nobody waits any more. After this the job does not touch the loop.
  void abandon() noexcept;

 protected:
  // Calls the function and keeps what it returns or throws; destroys the function and its arguments.
  virtual void call() noexcept = 0;
  virtual void drop_call() noexcept = 0;
  virtual void drop_result() noexcept = 0;

 private:
  enum class State : std::uint8_t { waiting, running, done, abandoned };

  void run(const std::shared_ptr<ExecutorJob>& self);
  void resume();

  // Held while the job looks whether it is still wanted and tells the loop: so a loop, which outlives those
  // who wait in it, is never told after it has gone.
  std::mutex mutex_;
  State state_ = State::waiting;
  IOLoop& loop_;
  std::coroutine_handle<> waiter_;
};

template <class Result, class Function, class... Arguments>
class ExecutorCall;

// What of a job its awaiter knows.
template <class Result>
class ExecutorResult : public ExecutorJob {
 public:
  using ExecutorJob::ExecutorJob;
  // Once, on the loop's thread, when the job is done.
  Result take() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    if constexpr (!std::is_void_v<Result>) {
      std::optional<Stored> value = std::exchange(value_, std::nullopt);
      return static_cast<Result>(*std::move(value));
    }
  }

 protected:
  void drop_result() noexcept override {
    value_.reset();
    error_ = nullptr;
  }

 private:
  template <class R, class Function, class... Arguments>
  friend class ExecutorCall;
  struct Nothing {};
  using Stored =
      std::conditional_t<std::is_void_v<Result>, Nothing,
                         std::conditional_t<std::is_reference_v<Result>,
                                            std::reference_wrapper<std::remove_reference_t<Result>>, Result>>;

  std::optional<Stored> value_;
  std::exception_ptr error_;
};

template <class Result, class Function, class... Arguments>
class ExecutorCall final : public ExecutorResult<Result> {
 public:
  template <class F, class... A>
  explicit ExecutorCall(IOLoop& loop, F&& function, A&&... arguments)
      : ExecutorResult<Result>(loop),
        call_(std::in_place, std::forward<F>(function), std::forward<A>(arguments)...) {}

 private:
  void call() noexcept override {
    try {
      const auto invoke = [](Function& function, Arguments&... arguments) -> Result {
        return std::invoke(std::move(function), std::move(arguments)...);
      };
      if constexpr (std::is_void_v<Result>) {
        std::apply(invoke, *call_);
      } else {
        this->value_.emplace(std::apply(invoke, *call_));
      }
    } catch (...) {
      this->error_ = std::current_exception();
    }
    drop_call();
  }
  void drop_call() noexcept override { call_.reset(); }

  std::optional<std::tuple<Function, Arguments...>> call_;
};

}  // namespace detail

// What run_in_executor() returns.
template <class Result>
class [[nodiscard]] ExecutorAwaiter {
 public:
  // `executor` may be null: the loop's own.
  ExecutorAwaiter(IOLoop& loop, Executor* executor,
                  std::shared_ptr<detail::ExecutorResult<Result>> job) noexcept
      : loop_(loop), executor_(executor), job_(std::move(job)) {}
  ExecutorAwaiter(const ExecutorAwaiter&) = delete;
  ExecutorAwaiter& operator=(const ExecutorAwaiter&) = delete;
  ~ExecutorAwaiter() { job_->abandon(); }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    detail::ExecutorJob::submit(job_, executor_ ? *executor_ : loop_.default_executor(), waiter);
  }
  Result await_resume() { return job_->take(); }

 private:
  IOLoop& loop_;
  Executor* executor_;
  std::shared_ptr<detail::ExecutorResult<Result>> job_;
};

namespace detail {

template <class Function, class... Arguments>
auto run_in(Executor* executor, Function&& function, Arguments&&... arguments) {
  using Result = std::invoke_result_t<std::decay_t<Function>, std::decay_t<Arguments>...>;
  using Call = ExecutorCall<Result, std::decay_t<Function>, std::decay_t<Arguments>...>;
  IOLoop& loop = IOLoop::current();
  return ExecutorAwaiter<Result>(
      loop, executor,
      std::make_shared<Call>(loop, std::forward<Function>(function), std::forward<Arguments>(arguments)...));
}

}  // namespace detail

// co_await run_in_executor(function, arguments...): calls it on a thread of the loop's default executor,
// while the loop goes on, and gives what it returns or throws what it throws (IOL-46, CON-06).
//
//     const Image image = co_await run_in_executor(decode, std::move(bytes));
//
// The function and its arguments are copied or moved when this is called, and handed to it as rvalues, as by
// std::thread; they are destroyed on the thread that made the call. It begins when the result is awaited.
//
// Dropping the task that waits: a job that no thread has begun never is, and its function is destroyed at
// once. One that has begun cannot be stopped; it ends alone, and its result is destroyed on its thread, or on
// the loop's if it had already been sent there.
//
// Throws what Executor::submit() throws: ExecutorFullError, if too many jobs wait already.
template <class Function, class... Arguments>
requires std::is_invocable_v<std::decay_t<Function>, std::decay_t<Arguments>...>
auto run_in_executor(Function&& function, Arguments&&... arguments) {
  return detail::run_in(nullptr, std::forward<Function>(function), std::forward<Arguments>(arguments)...);
}
// The same on an executor of one's own, which is borrowed until the job has been submitted to it.
template <class Function, class... Arguments>
requires std::is_invocable_v<std::decay_t<Function>, std::decay_t<Arguments>...>
auto run_in_executor(Executor& executor, Function&& function, Arguments&&... arguments) {
  return detail::run_in(&executor, std::forward<Function>(function), std::forward<Arguments>(arguments)...);
}

}  // namespace squall
