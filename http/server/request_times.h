#pragma once

#include <chrono>
#include <optional>

namespace squall::http {

// The times at which the parts of a request and of its response were complete, on the steady clock;
// std::nullopt for a part that is not complete. Measured if HTTPServer::Options::measure_times is set.
struct RequestTimes {
  using TimePoint = std::chrono::steady_clock::time_point;

  std::optional<TimePoint> head{};            // all of the head had been received
  std::optional<TimePoint> body{};            // all of the body, or the head if there is no body
  std::optional<TimePoint> response_begun{};  // the head of the response was written
  std::optional<TimePoint> response_ended{};  // the last byte of the response was written
};

}  // namespace squall::http
