#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// `Tue, 14 Nov 2023 22:13:20 GMT` (RFC 9110, 5.6.7; HUT-51).
std::string format_date(std::chrono::system_clock::time_point time);

// Parses the three forms of RFC 9110, 5.6.7; senders use the first:
//
//   Sun, 06 Nov 1994 08:49:37 GMT    Sunday, 06-Nov-94 08:49:37 GMT    Sun Nov  6 08:49:37 1994
//
// A zone may be a number (`+0100`), or missing for UTC (WEB-151). Names may be in any case, and the weekday
// is not compared with the date. A year of two digits is at most 50 years after `now`. nullopt for other
// texts, and for years before 1678 and after 2261, which the clock cannot represent.
std::optional<std::chrono::system_clock::time_point> parse_date(
    std::string_view text, std::chrono::system_clock::time_point now) noexcept;
inline std::optional<std::chrono::system_clock::time_point> parse_date(std::string_view text) noexcept {
  return parse_date(text, std::chrono::system_clock::now());
}

}  // namespace squall::http
