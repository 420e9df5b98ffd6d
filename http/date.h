#pragma once

#include <squall/http/headers.h>

#include <chrono>
#include <string>

namespace squall::http {

class ServerDelegate;

// `Tue, 14 Nov 2023 22:13:20 GMT` (RFC 9110, 5.6.7; HUT-51).
std::string format_date(std::chrono::system_clock::time_point time);

// The header fields every response begins with: Server, Date and the delegate's, made anew once a second.
class DefaultHeaders {
 public:
  explicit DefaultHeaders(const ServerDelegate& delegate) noexcept : delegate_(delegate) {}

  // `now` is the loop's time: the wall clock is read only when a second of that has passed.
  const Headers& at(std::chrono::steady_clock::time_point now);

 private:
  const ServerDelegate& delegate_;
  Headers headers_;
  std::chrono::steady_clock::time_point stale_{};  // when the date changes
};

}  // namespace squall::http
