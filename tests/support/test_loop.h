#pragma once

#include <squall/ioloop.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"

namespace squall::testing {

// Collects what is logged while it lives, at `level` and above. What was not expected by then fails the test.
class LogCapture {
 public:
  struct Line {
    std::string logger;
    log::Level level;
    std::string message;
  };

  explicit LogCapture(log::Level level = log::Level::warning);
  ~LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  // Removes the first line with `part` in it and returns it; fails the test if there is none.
  Line expect(std::string_view part);
  // How many lines have `part` in them; they are removed.
  std::size_t expect_any(std::string_view part);
  bool empty() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
  log::Handler before_;
  log::Level level_before_;
};

// A loop for one test: fails it after 5 s, or on a warning nobody expected.
class TestLoop : public IOLoop {
 public:
  static constexpr std::chrono::seconds kPatience{5};

  template <class T>
  T run(Task<T> task) {
    return run_sync(std::move(task), kPatience);
  }
  // Runs turns until `condition` holds.
  template <class Condition>
  void run_until(Condition condition) {
    run_sync(turns_until(std::move(condition)), kPatience);
  }
  // Runs one turn, without waiting.
  void run_turn() {
    stop();
    start();
  }

  LogCapture log;

 private:
  template <class Condition>
  static Task<> turns_until(Condition condition) {
    while (!condition()) co_await moment();
  }
};

// co_await throws<Error>(task): whether awaiting the task throws an Error. No CHECK_THROWS can hold a
// co_await.
template <class Error, class T>
Task<bool> throws(Task<T> task) {
  try {
    co_await std::move(task);
  } catch (const Error&) {
    co_return true;
  }
  co_return false;
}
// The same with the error's text; empty if nothing was thrown.
template <class Error, class T>
Task<std::string> message_thrown(Task<T> task) {
  std::string text;
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    text = error.what();
  }
  co_return text;
}

// Counts its living copies: tells whether a frame or closure was destroyed, and only once.
class Live {
 public:
  Live() noexcept { ++count; }
  Live(const Live&) noexcept { ++count; }
  Live(Live&&) noexcept { ++count; }
  Live& operator=(const Live&) noexcept = default;
  ~Live() {
    --count;
    if (mark_ != kMark) broken = true;
    mark_ = 0;
  }
  static inline int count = 0;
  static inline bool broken = false;  // something was destroyed twice

 private:
  static constexpr unsigned kMark = 0x600d;
  unsigned mark_ = kMark;
};

}  // namespace squall::testing
