#include "support/test_loop.h"

#include <algorithm>

namespace squall::testing {

LogCapture::LogCapture(log::Level level) : level_before_(log::root().effective_level()) {
  log::root().set_level(level);
  before_ = log::set_handler([this](const log::Record& record) {
    const std::lock_guard lock(mutex_);
    lines_.push_back({std::string(record.logger.name()), record.level, std::string(record.message)});
  });
}

LogCapture::~LogCapture() {
  log::set_handler(std::move(before_));
  log::root().set_level(level_before_);
  for (const Line& line : lines_) {
    INFO("unexpected log line: " << line.logger << ": " << line.message);
    CHECK(false);
  }
}

LogCapture::Line LogCapture::expect(std::string_view part) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) {
    return line.message.find(part) != std::string::npos;
  });
  if (found == lines_.end()) {
    std::string all;
    for (const Line& line : lines_) all += "\n  " + line.message;
    INFO("no log line has: " << part << "; there are:" << all);
    CHECK(false);
    return {};
  }
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

}  // namespace squall::testing
