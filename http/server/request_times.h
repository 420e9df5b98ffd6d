#pragma once

#include <chrono>

namespace squall::http {

// The times at which the parts of a request and of its response were complete, on the steady clock; zero
// for a part that is not complete. Measured if HTTPServer::Options::measure_times is set.
struct RequestTimes {
  using TimePoint = std::chrono::steady_clock::time_point;

  TimePoint head;            // all of the head had been received
  TimePoint body;            // all of the body, or the head if there is no body
  TimePoint response_begun;  // the head of the response was written
  TimePoint response_ended;  // the last byte of the response was written
};

}  // namespace squall::http
