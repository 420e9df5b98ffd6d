#pragma once

#include <squall/ioloop/base/log.h>

#include <cstddef>
#include <mutex>
#include <optional>
#include <regex>
#include <string>

namespace squall::testing {

// Expects lines of a logger during its lifetime (TST-20): matching lines are counted and dropped, other lines
// are passed to the previous handler.
//
//     ExpectLog expected(log::application(), "Exception in callback");
//
// Errors:    the destructor throws LogError if no line matched, unless another exception is being handled.
// Thread:    lines may come from any thread; construct and destroy on one.
class ExpectLog {
 public:
  struct Options {
    bool required = true;  // false: no line need match
    std::optional<log::Level>
        level{};  // only lines of this level match; the logger's level is lowered if necessary
  };

  // `regex` (ECMAScript) must match at the start of the message. The root logger matches the lines of all
  // loggers.
  ExpectLog(log::Logger& logger, const std::string& regex);
  ExpectLog(log::Logger& logger, const std::string& regex, Options options);
  ~ExpectLog() noexcept(false);
  ExpectLog(const ExpectLog&) = delete;
  ExpectLog& operator=(const ExpectLog&) = delete;

  // Lines that matched so far.
  std::size_t matched() const;

 private:
  bool take(const log::Record& record);

  log::Logger& logger_;
  std::string text_;
  std::regex regex_;
  Options options_;
  int exceptions_;
  log::Handler before_;
  bool lowered_ = false;  // the logger's level was changed from level_before_
  std::optional<log::Level> level_before_;
  mutable std::mutex mutex_;
  std::size_t matched_ = 0;
};

}  // namespace squall::testing
