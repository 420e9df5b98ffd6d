#pragma once

#include <squall/ioloop/base/log.h>

#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace squall::testing {

// The log of a test differs from the expected log. Every test framework reports a std::runtime_error as a
// failure with its text.
class LogError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Collects the lines that are logged during its lifetime, at `level` and above; they are not printed. Lines
// that are not taken by expect() fail the test: the destructor throws LogError, unless another exception is
// being handled.
//
// Thread:    lines may come from any thread; use the object on one.
class LogCapture {
 public:
  struct Line {
    std::string logger;
    log::Level level;
    std::string message;
  };

  explicit LogCapture(log::Level level = log::Level::warning);
  ~LogCapture() noexcept(false);
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  // Removes the first line that contains `part` and returns it. Throws LogError, with a list of all lines, if
  // there is no such line.
  Line expect(std::string_view part);
  // Removes all lines that contain `part`, and returns their number.
  std::size_t expect_any(std::string_view part);
  bool empty() const;

 private:
  std::string listing() const;

  mutable std::mutex mutex_;
  std::vector<Line> lines_;
  int exceptions_;  // std::uncaught_exceptions() at construction
  log::Handler before_;
  log::Level level_before_;
};

}  // namespace squall::testing
