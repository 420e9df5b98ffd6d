#pragma once

#include <squall/ioloop/base/time_span.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <random>

namespace squall::websocket {

struct BackoffOptions {
  TimeSpan first_limit = std::chrono::milliseconds(500);  // the longest first delay
  TimeSpan max_limit = std::chrono::seconds(30);          // the longest delay
  double factor = 2;                                      // at least 1
  // Random numbers from 0 to less than 1. Null: a generator that the system's random device has seeded.
  std::function<double()> random{};
};

// The delays between attempts: each one is random, from zero to a limit that grows by a factor from attempt
// to attempt ("full jitter"). So clients that have lost one server at the same time do not come back at the
// same time.
//
// Thread:    one.
class Backoff {
 public:
  // Throws std::invalid_argument for a limit that is not positive, for a max_limit below first_limit, and for
  // a factor below 1.
  explicit Backoff(BackoffOptions options = BackoffOptions());

  // The delay before the next attempt.
  TimeSpan next();
  // The next delay is again one of the first limit.
  void reset() noexcept { limit_ = options_.first_limit; }
  // The limit of the next delay.
  TimeSpan limit() const noexcept { return limit_; }
  // A random time from `shortest` to `longest`.
  TimeSpan between(TimeSpan shortest, TimeSpan longest);

 private:
  double random();

  BackoffOptions options_;
  TimeSpan limit_;
  std::minstd_rand generator_;
};

}  // namespace squall::websocket
