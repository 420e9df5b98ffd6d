#include <squall/testing/patience.h>

#include <squall/ioloop/base/errors.h>

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace squall::testing {

IOLoop::Duration Patience::limit() {
  double seconds = 5;
  if (const char* text = std::getenv("ASYNC_TEST_TIMEOUT")) {
    char* end;
    const double asked = std::strtod(text, &end);
    if (end != text && *end == '\0' && asked > 0 && asked < 1e9) seconds = asked;
  }
  return std::chrono::duration_cast<IOLoop::Duration>(std::chrono::duration<double>(seconds));
}

void Patience::check_not_running() const {
  if (loop_.running())
    throw std::logic_error(fmt::format("{}: the loop runs already; await the task instead", subject_));
}

bool Patience::run_turn() const {
  // Another thread may change a condition without waking the loop.
  constexpr std::chrono::milliseconds kLook{10};
  const bool stopped = !loop_.run_once(kLook);
  if (IOLoop::Clock::now() >= end_)
    throw TimeoutError(fmt::format("{} timed out after {} seconds", subject_,
                                   std::chrono::duration<double>(limit()).count()));
  return stopped;
}

void Patience::run_until_ended(const bool& ended) const {
  while (!ended) {
    if (run_turn() && !ended) throw std::runtime_error("Event loop stopped before Future completed.");
  }
}

void Patience::wait() const {
  bool stopped = false;
  while (!stopped) stopped = run_turn();
}

}  // namespace squall::testing
