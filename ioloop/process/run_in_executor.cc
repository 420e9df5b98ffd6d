#include <squall/ioloop/process/run_in_executor.h>

#include <chrono>
#include <new>
#include <thread>
#include <utility>

namespace squall::detail {
namespace {

constexpr std::chrono::milliseconds kPause{1};

}  // namespace

void ExecutorJob::submit(const std::shared_ptr<ExecutorJob>& job, Executor& executor,
                         std::coroutine_handle<> waiter) {
  job->waiter_ = waiter;
  executor.submit([job] { job->run(job); });
}

void ExecutorJob::run(const std::shared_ptr<ExecutorJob>& self) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::abandoned) return;
    state_ = State::running;
  }
  call();
  while (!tell_loop(self)) {
    if (IOLoop::current_or_null() == &loop_) {
      // The executor runs jobs within submit(). To wait here would hold the loop, and nothing could free
      // memory.
      abandon();
      drop_result();
      throw std::bad_alloc();
    }
    std::this_thread::sleep_for(kPause);
  }
}

// False without memory for the callback: the result would be lost if the thread did not try again.
bool ExecutorJob::tell_loop(const std::shared_ptr<ExecutorJob>& self) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::running) {
      state_ = State::done;
      try {
        handle_.add_callback([self] { self->resume(); });
        return true;
      } catch (const std::bad_alloc&) {
        state_ = State::running;
        return false;
      }
    }
  }
  drop_result();
  return true;
}

// On the loop's thread. Needs no lock: only the loop's thread changes the state after `done`.
void ExecutorJob::resume() {
  if (state_ == State::done) loop_.resume(waiter_);
}

void ExecutorJob::abandon() noexcept {
  State before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(state_, State::abandoned);
  }
  if (before == State::waiting) drop_call();
  if (before == State::done) drop_result();
}

}  // namespace squall::detail
