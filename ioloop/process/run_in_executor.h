#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/process/executor.h>

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

// A job and the coroutine that waits for it. Shared by both, because either may end first.
//
//   state     | waits for                         | ended by                  | next
//   waiting   | a thread of the executor          | the start of the job      | running
//             |                                   | abandon()                 | abandoned
//   running   | the function                      | its end                   | done
//             |                                   | abandon()                 | abandoned
//   done      | the coroutine to take the result  | abandon()                 | abandoned
//   abandoned | the end of the function, if it    | -                         | -
//             | runs; the result is dropped       |                           |
class ExecutorJob {
 public:
  explicit ExecutorJob(IOLoop& loop) noexcept : loop_(loop), handle_(loop.handle()) {}
  virtual ~ExecutorJob() = default;
  ExecutorJob(const ExecutorJob&) = delete;
  ExecutorJob& operator=(const ExecutorJob&) = delete;

  // On the loop's thread. `waiter` is resumed, in a later turn, once the job is done.
  static void submit(const std::shared_ptr<ExecutorJob>& job, Executor& executor,
                     std::coroutine_handle<> waiter);
  // On the loop's thread: the coroutine no longer waits. After this the job does not use the loop.
  void abandon() noexcept;

 protected:
  // Calls the function and stores its result or exception; destroys the function and its arguments.
  virtual void call() noexcept = 0;
  virtual void drop_call() noexcept = 0;
  virtual void drop_result() noexcept = 0;

 private:
  enum class State : std::uint8_t { waiting, running, done, abandoned };

  void run(const std::shared_ptr<ExecutorJob>& self);
  bool tell_loop(const std::shared_ptr<ExecutorJob>& self) noexcept;
  void resume();

  // Locked while the job checks for State::abandoned and adds its callback to the loop.
  std::mutex mutex_;
  State state_ = State::waiting;
  IOLoop& loop_;             // used in its own callbacks only: it may be gone
  const LoopHandle handle_;  // adds no callback to a loop that is gone
  std::coroutine_handle<> waiter_;
};

template <class Result, class Function, class... Arguments>
class ExecutorCall;

// The part of a job that its awaiter uses: the result.
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

// Awaiter of run_in_executor(). May be moved until it is awaited.
template <class Result>
class [[nodiscard]] ExecutorAwaiter {
 public:
  // With a null `executor` the job runs on the loop's default executor.
  ExecutorAwaiter(IOLoop& loop, Executor* executor,
                  std::shared_ptr<detail::ExecutorResult<Result>> job) noexcept
      : loop_(loop), executor_(executor), job_(std::move(job)) {}
  ExecutorAwaiter(ExecutorAwaiter&&) noexcept = default;
  ExecutorAwaiter& operator=(ExecutorAwaiter&&) = delete;
  ~ExecutorAwaiter() {
    if (job_) job_->abandon();
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    detail::ExecutorJob::submit(job_, executor_ ? *executor_ : loop_->default_executor(), waiter);
  }
  Result await_resume() { return job_->take(); }

 private:
  LoopRef loop_;
  Executor* executor_;
  std::shared_ptr<detail::ExecutorResult<Result>> job_;
};

namespace detail {

template <class Function, class... Arguments>
auto run_in(Executor* executor, Function&& function, Arguments&&... arguments) {
  using Result = std::invoke_result_t<std::decay_t<Function>, std::decay_t<Arguments>...>;
  static_assert(
      !DoesNothingUnlessAwaited<Result>,
      "a Task runs on its loop, not on an executor's thread: await it, or start it by IOLoop::spawn()");
  using Call = ExecutorCall<Result, std::decay_t<Function>, std::decay_t<Arguments>...>;
  IOLoop& loop = IOLoop::current();
  return ExecutorAwaiter<Result>(
      loop, executor,
      std::make_shared<Call>(loop, std::forward<Function>(function), std::forward<Arguments>(arguments)...));
}

}  // namespace detail

// co_await run_in_executor(function, arguments...): calls the function on a thread of the loop's default
// executor, and returns its result or throws its exception (IOL-46, CON-06).
//
//     const Image image = co_await run_in_executor(decode, std::move(bytes));
//
// The function and its arguments are copied or moved when this is called, and passed as rvalues, as by
// std::thread. They are destroyed on the thread that ran the job. The job is submitted when the result is
// awaited.
//
// Lifetime:  if the waiting task is destroyed before the job begins, the job does not run and its function is
//            destroyed now. A job that has begun runs to its end; its result is destroyed on the job's
//            thread, or on the loop's thread if it was sent there already.
// Errors:    as Executor::submit(), for instance ExecutorFullError.
template <class Function, class... Arguments>
requires std::is_invocable_v<std::decay_t<Function>, std::decay_t<Arguments>...>
auto run_in_executor(Function&& function, Arguments&&... arguments) {
  return detail::run_in(nullptr, std::forward<Function>(function), std::forward<Arguments>(arguments)...);
}
// The same with another executor, which is borrowed until the job has been submitted.
template <class Function, class... Arguments>
requires std::is_invocable_v<std::decay_t<Function>, std::decay_t<Arguments>...>
auto run_in_executor(Executor& executor, Function&& function, Arguments&&... arguments) {
  return detail::run_in(&executor, std::forward<Function>(function), std::forward<Arguments>(arguments)...);
}

}  // namespace squall
