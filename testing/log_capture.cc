#include <squall/testing/log_capture.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace squall::testing {

LogCapture::LogCapture(log::Level level)
    : exceptions_(std::uncaught_exceptions()), level_before_(log::root().effective_level()) {
  log::root().set_level(level);
  before_ = log::set_handler([this](const log::Record& record) {
    const std::lock_guard lock(mutex_);
    lines_.push_back({std::string(record.logger.name()), record.level, std::string(record.message)});
  });
}

LogCapture::~LogCapture() noexcept(false) {
  log::set_handler(std::move(before_));
  log::root().set_level(level_before_);
  if (!lines_.empty() && std::uncaught_exceptions() == exceptions_)
    throw LogError("logged, and not expected:" + listing());
}

LogCapture::Line LogCapture::expect(std::string_view part) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) {
    return line.message.find(part) != std::string::npos;
  });
  if (found == lines_.end())
    throw LogError("not logged: " + std::string(part) +
                   (lines_.empty() ? "; nothing was" : "; but:" + listing()));
  Line line = std::move(*found);
  lines_.erase(found);
  return line;
}

std::size_t LogCapture::expect_any(std::string_view part) {
  const std::lock_guard lock(mutex_);
  return std::erase_if(lines_,
                       [&](const Line& line) { return line.message.find(part) != std::string::npos; });
}

bool LogCapture::empty() const {
  const std::lock_guard lock(mutex_);
  return lines_.empty();
}

std::string LogCapture::listing() const {
  std::string text;
  for (const Line& line : lines_) text += "\n  " + line.logger + ": " + line.message;
  return text;
}

}  // namespace squall::testing
