#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/testing/log_capture.h>

#include <coroutine>
#include <cstddef>
#include <utility>

namespace squall::testing {

// A loop for one test: its functions throw after patience(), and an unexpected warning in the log fails the
// test.
//
//     TestLoop loop;
//     const int value = loop.run(computes());
//     loop.log.expect("disk is full");
//
// Errors:    TimeoutError after patience(); LogError from `log`.
// Thread:    the loop's thread.
class TestLoop : public IOLoop {
 public:
  TestLoop() = default;
  explicit TestLoop(const Options& options) : IOLoop(options) {}

  // 5 s of real time, whatever the loop's clock says, or the seconds in the environment variable
  // ASYNC_TEST_TIMEOUT (TST-01).
  static Duration patience();

  // Runs the loop until the task has ended, and returns its value or throws its exception (TST-12). Throws
  // std::runtime_error if stop() was called first.
  template <class T>
  T run(Task<T> task) {
    Ended ended;
    call_soon([&] { task.start(ended); });
    run_until_ended(ended);
    return task.result();
  }
  // Runs turns until `condition` holds (TST-04).
  template <class Condition>
  void run_until(Condition condition) {
    const Patience limit(*this);
    while (!condition()) limit.run_turn();
  }
  // Runs until stop() is called, or if it was called since the last run (TST-04).
  void wait();
  // Runs one turn, without waiting.
  void run_turn() { run_once(Duration::zero()); }

  LogCapture log;

 private:
  // Turns until patience() has run out.
  class Patience {
   public:
    explicit Patience(TestLoop& loop) : loop_(loop), end_(Clock::now() + patience()) {}
    // True if stop() was called. Throws TimeoutError.
    bool run_turn() const;

   private:
    TestLoop& loop_;
    TimePoint end_;
  };
  struct Ended final : detail::TaskOwner {
    std::coroutine_handle<> task_ended(std::size_t) noexcept override {
      ended = true;
      return std::noop_coroutine();
    }
    bool ended = false;
  };

  void run_until_ended(const Ended& ended);
};

}  // namespace squall::testing
