#include <squall/testing/test_loop.h>

#include <squall/ioloop/base/errors.h>

#include <fmt/format.h>

#include <cstdlib>
#include <stdexcept>

namespace squall::testing {

IOLoop::Duration TestLoop::patience() {
  double seconds = 5;
  if (const char* text = std::getenv("ASYNC_TEST_TIMEOUT")) {
    char* end;
    const double asked = std::strtod(text, &end);
    if (end != text && *end == '\0' && asked > 0 && asked < 1e9) seconds = asked;
  }
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

bool TestLoop::Patience::run_turn() const {
  // Another thread may change the condition without waking the loop.
  constexpr std::chrono::milliseconds kLook{10};
  const bool stopped = !loop_.run_once(kLook);
  if (Clock::now() >= end_)
    throw TimeoutError(fmt::format("Async operation timed out after {} seconds",
                                   std::chrono::duration<double>(patience()).count()));
  return stopped;
}

void TestLoop::run_until_ended(const Ended& ended) {
  const Patience limit(*this);
  while (!ended.ended) {
    if (limit.run_turn() && !ended.ended)
      throw std::runtime_error("Event loop stopped before Future completed.");
  }
}

void TestLoop::wait() {
  const Patience limit(*this);
  bool stopped = false;
  while (!stopped) stopped = limit.run_turn();
}

}  // namespace squall::testing
