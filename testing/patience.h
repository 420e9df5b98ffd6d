#pragma once

#include <squall/ioloop/loop/ioloop.h>

#include <coroutine>
#include <cstddef>
#include <string>
#include <utility>

namespace squall::testing {

// Runs a loop for a test, for limit() of real time from the construction on, whatever the loop's clock says.
//
//     const int value = Patience(loop).run(computes());
//
// Thread:    the loop's thread, while the loop does not run.
// Lifetime:  borrows the loop.
// Errors:    TimeoutError once the time has run out: `GET /slow timed out after 5 seconds`.
class Patience {
 public:
  // `subject` begins the message of the TimeoutError.
  explicit Patience(IOLoop& loop, std::string subject = "Async operation")
      : loop_(loop), subject_(std::move(subject)), end_(IOLoop::Clock::now() + limit()) {}

  // 5 s, or the seconds in the environment variable ASYNC_TEST_TIMEOUT (TST-01).
  static IOLoop::Duration limit();

  // Runs the loop until the task has ended, and returns its value or throws its exception (TST-12). Throws
  // std::runtime_error if stop() was called first, and std::logic_error if the loop runs already.
  template <class T>
  T run(Task<T> task) const {
    check_not_running();
    Ended ended;
    loop_.call_soon([&] { task.start(ended); });
    run_until_ended(ended.value);
    return task.result();
  }
  // Runs turns until `condition` holds (TST-04).
  template <class Condition>
  void run_until(Condition condition) const {
    while (!condition()) run_turn();
  }
  // Runs until stop() is called, or if it was called since the last run (TST-04).
  void wait() const;

 private:
  struct Ended final : detail::TaskOwner {
    std::coroutine_handle<> task_ended(std::size_t) noexcept override {
      value = true;
      return std::noop_coroutine();
    }
    bool value = false;
  };

  void check_not_running() const;
  // True if stop() was called.
  bool run_turn() const;
  void run_until_ended(const bool& ended) const;

  IOLoop& loop_;
  std::string subject_;
  IOLoop::TimePoint end_;
};

}  // namespace squall::testing
