#pragma once

#include <squall/http/message/headers.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

class ServerDelegate;

// `Tue, 14 Nov 2023 22:13:20 GMT` (RFC 9110, 5.6.7; HUT-51).
std::string format_date(std::chrono::system_clock::time_point time);

// The three forms of RFC 9110, 5.6.7, of which the first alone is still sent:
//
//   Sun, 06 Nov 1994 08:49:37 GMT    Sunday, 06-Nov-94 08:49:37 GMT    Sun Nov  6 08:49:37 1994
//
// A zone may be a number (`+0100`) or missing, which means UTC (WEB-151); names may be in any case, and that
// of the weekday need not be the right one. Two digits of a year are of the century that puts it no more than
// 50 years after `now`. None for anything else, and for years before 1678 and after 2261, which the clock
// cannot count.
std::optional<std::chrono::system_clock::time_point> parse_date(
    std::string_view text, std::chrono::system_clock::time_point now) noexcept;
inline std::optional<std::chrono::system_clock::time_point> parse_date(std::string_view text) noexcept {
  return parse_date(text, std::chrono::system_clock::now());
}

// The header fields every response begins with: Server, Date and the delegate's, made anew once a second.
class DefaultHeaders {
 public:
  explicit DefaultHeaders(const ServerDelegate& delegate) noexcept : delegate_(delegate) {}

  // `now` is the loop's time: the wall clock is read only when a second of that has passed.
  const Headers& at(std::chrono::steady_clock::time_point now);
  // What the last ones have as their Date.
  std::chrono::system_clock::time_point date() const noexcept { return date_; }

 private:
  const ServerDelegate& delegate_;
  Headers headers_;
  std::chrono::system_clock::time_point date_{};
  std::chrono::steady_clock::time_point stale_{};  // when the date changes
};

}  // namespace squall::http
