#pragma once

#include <squall/ioloop/base/log.h>

#include <cstddef>
#include <mutex>
#include <optional>
#include <regex>
#include <string>

namespace squall::testing {

// Says, for as long as it lives, that a logger will say something (TST-20): lines that match are counted and
// go nowhere, all others pass to whoever took them before.
//
//     ExpectLog expected(log::application(), "Exception in callback");
//
// The destructor throws LogError, unless an exception is under way, if nothing matched.
class ExpectLog {
 public:
  struct Options {
    bool required = true;  // false: silence is as good
    std::optional<log::Level>
        level{};  // this one alone matches; the logger's level is lowered to it if need be
  };

  // `regex` (ECMAScript) must match at the start of the message. The root logger stands for all of them.
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
  bool lowered_ = false;  // the logger's level, which was level_before_
  std::optional<log::Level> level_before_;
  mutable std::mutex mutex_;
  std::size_t matched_ = 0;
};

}  // namespace squall::testing
