#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/testing/log_capture.h>
#include <squall/testing/patience.h>

#include <optional>
#include <utility>

namespace squall::testing {

// A loop for one test: its functions throw after patience(), and an unexpected warning in the log fails the
// test. How many callbacks a turn runs does not depend on the time: Options::max_callback_time is not used.
//
//     TestLoop loop;
//     const int value = loop.run(computes());
//     loop.log.expect("disk is full");
//
// Errors:    TimeoutError after patience(); LogError from `log`.
// Thread:    the loop's thread.
class TestLoop : public IOLoop {
 public:
  TestLoop() : TestLoop(Options()) {}
  explicit TestLoop(const Options& options) : IOLoop(untimed(options)) {}

  // The real time that the functions below take at most: see Patience::limit().
  static Duration patience() { return Patience::limit(); }

  // As Patience has them.
  template <class T>
  T run(Task<T> task) {
    return Patience(*this).run(std::move(task));
  }
  template <class Condition>
  void run_until(Condition condition) {
    Patience(*this).run_until(std::move(condition));
  }
  void wait() { Patience(*this).wait(); }
  // Runs one turn, without waiting.
  void run_turn() { run_once(Duration::zero()); }

  LogCapture log;

 private:
  static Options untimed(Options options) {
    options.max_callback_time = std::nullopt;
    return options;
  }
};

}  // namespace squall::testing
