#pragma once

#include <chrono>
#include <optional>

namespace squall::web {

// How Locale::format_date() writes a date.
struct DateOptions {
  // Subtracted from UTC: what getTimezoneOffset() of JavaScript returns, 480 for UTC-8. At most a day.
  std::chrono::minutes gmt_offset{0};
  bool relative = true;      // `2 minutes ago`, `yesterday at 2:30 pm`
  bool shorter = false;      // without the time, for dates before today
  bool full_format = false;  // always with the year
  // For the distance to the date; nullopt: the clock.
  std::optional<std::chrono::system_clock::time_point> now{};
};

// How Locale::format_day() writes a date.
struct DayOptions {
  std::chrono::minutes gmt_offset{0};  // as above
  bool weekday = true;                 // `Monday, January 22`; otherwise `January 22`
};

}  // namespace squall::web
