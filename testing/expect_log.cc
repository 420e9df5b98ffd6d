#include <squall/testing/expect_log.h>

#include <squall/testing/log_capture.h>

#include <exception>
#include <string_view>
#include <utility>

namespace squall::testing {

ExpectLog::ExpectLog(log::Logger& logger, const std::string& regex) : ExpectLog(logger, regex, Options()) {}

ExpectLog::ExpectLog(log::Logger& logger, const std::string& regex, Options options)
    : logger_(logger),
      text_(regex),
      regex_(regex),
      options_(options),
      exceptions_(std::uncaught_exceptions()) {
  if (options_.level && !logger.enabled(*options_.level)) {
    lowered_ = true;
    level_before_ = logger.own_level();
    logger.set_level(*options_.level);
  }
  before_ = log::set_handler(nullptr);
  log::set_handler([this](const log::Record& record) {
    if (take(record)) return;
    if (before_) {
      before_(record);
    } else {
      log::print(record);
    }
  });
}

ExpectLog::~ExpectLog() noexcept(false) {
  log::set_handler(std::move(before_));
  if (level_before_) {
    logger_.set_level(*level_before_);
  } else if (lowered_) {
    logger_.inherit_level();
  }
  if (options_.required && matched_ == 0 && std::uncaught_exceptions() == exceptions_)
    throw LogError("did not get expected log message: " + text_);
}

bool ExpectLog::take(const log::Record& record) {
  if (&logger_ != &log::root() && &record.logger != &logger_) return false;
  if (options_.level && record.level != *options_.level) return false;
  const std::string_view message = record.message;
  if (!std::regex_search(message.begin(), message.end(), regex_, std::regex_constants::match_continuous))
    return false;
  const std::lock_guard lock(mutex_);
  ++matched_;
  return true;
}

std::size_t ExpectLog::matched() const {
  const std::lock_guard lock(mutex_);
  return matched_;
}

}  // namespace squall::testing
