#include <squall/ioloop/process/run_in_executor.h>

#include <utility>

namespace squall::detail {

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
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::running) {
      state_ = State::done;
      loop_.add_callback([self] { self->resume(); });
      return;
    }
  }
  drop_result();
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
