#pragma once

#include <squall/ioloop/base/log.h>

#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace squall::testing {

// A test's log is not what it said it would be. Derived from std::runtime_error, so that every test framework
// reports it as a failure with this text.
class LogError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Collects what is logged while it lives, at `level` and above, instead of letting it be printed. What was
// not expected by then fails the test: the destructor throws LogError, unless another exception is under way.
//
// Thread:    lines may come from any; the rest from one.
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

  // Removes the first line with `part` in it and returns it. Throws LogError, with what there is, if there is
  // none.
  Line expect(std::string_view part);
  // How many lines have `part` in them; they are removed.
  std::size_t expect_any(std::string_view part);
  bool empty() const;

 private:
  std::string listing() const;

  mutable std::mutex mutex_;
  std::vector<Line> lines_;
  int exceptions_;  // under way when it was made
  log::Handler before_;
  log::Level level_before_;
};

}  // namespace squall::testing
