#include <squall/websocket/client/backoff.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace squall::websocket {

using Seconds = std::chrono::duration<double>;

Backoff::Backoff(BackoffOptions options) : options_(std::move(options)), limit_(options_.first_limit) {
  if (options_.first_limit <= TimeSpan::zero())
    throw std::invalid_argument("Backoff: first_limit must be positive");
  if (options_.max_limit < options_.first_limit)
    throw std::invalid_argument("Backoff: max_limit must not be below first_limit");
  if (!(options_.factor >= 1)) throw std::invalid_argument("Backoff: factor must be at least 1");
  if (!options_.random) generator_.seed(std::random_device()());
}

TimeSpan Backoff::next() {
  const TimeSpan limit = limit_;
  // A product that is out of range becomes the longest TimeSpan.
  limit_ = std::min<TimeSpan>(TimeSpan(Seconds(limit) * options_.factor), options_.max_limit);
  return between(TimeSpan(), limit);
}

TimeSpan Backoff::between(TimeSpan shortest, TimeSpan longest) {
  if (longest <= shortest) return shortest;
  const Seconds width = saturating_subtract(longest, shortest);
  return std::min<TimeSpan>(saturating_add(shortest, TimeSpan(width * random())), longest);
}

double Backoff::random() {
  const double given = options_.random ? options_.random() : std::uniform_real_distribution<>()(generator_);
  return std::clamp(given, 0.0, 1.0);
}

}  // namespace squall::websocket
