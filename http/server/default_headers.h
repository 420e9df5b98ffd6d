#pragma once

#include <squall/http/message/headers.h>

#include <chrono>

namespace squall::http {

class ServerDelegate;

// The header fields that every response begins with: Server, Date and the delegate's. Made again once a
// second.
class DefaultHeaders {
 public:
  explicit DefaultHeaders(const ServerDelegate& delegate) noexcept : delegate_(delegate) {}

  // `now` is the loop's time. The wall clock is read only when a second of the loop's time has passed.
  const Headers& at(std::chrono::steady_clock::time_point now);
  // The Date of the headers that at() returned last.
  std::chrono::system_clock::time_point date() const noexcept { return date_; }

 private:
  const ServerDelegate& delegate_;
  Headers headers_;
  std::chrono::system_clock::time_point date_{};
  std::chrono::steady_clock::time_point stale_{};  // when the date changes
};

}  // namespace squall::http
