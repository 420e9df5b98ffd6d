#pragma once

#include <squall/ioloop/ioloop.h>
#include <squall/testing/log_capture.h>

#include <utility>

namespace squall::testing {

// A loop for one test: gives up after patience(), and fails the test on a warning nobody expected.
//
//     TestLoop loop;
//     const int value = loop.run(computes());
//     loop.log.expect("disk is full");
//
// Errors:    what is not there in time is TimeoutError; what `log` finds is LogError.
class TestLoop : public IOLoop {
 public:
  TestLoop() = default;
  explicit TestLoop(const Options& options) : IOLoop(options) {}

  // 5 s, or the seconds in the environment variable ASYNC_TEST_TIMEOUT (TST-01).
  static Duration patience();

  // Runs the loop until the task has ended (TST-12).
  template <class T>
  T run(Task<T> task) {
    return run_sync(std::move(task), patience());
  }
  // Runs turns until `condition` holds (TST-04).
  template <class Condition>
  void run_until(Condition condition) {
    const Patience limit(*this);
    while (!condition()) limit.run_turn();
  }
  // Runs until stop() is called, or was called since the last time (TST-04).
  void wait();
  // Runs one turn, without waiting.
  void run_turn() { run_once(Duration::zero()); }

  LogCapture log;

 private:
  // Turns until patience() has run out.
  class Patience {
   public:
    explicit Patience(TestLoop& loop);
    ~Patience() { loop_.remove_timeout(timer_); }
    // True if stop() was called. Throws TimeoutError.
    bool run_turn() const;

   private:
    TestLoop& loop_;
    bool over_ = false;
    Timeout timer_;
  };
};

}  // namespace squall::testing
