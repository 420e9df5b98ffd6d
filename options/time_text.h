#pragma once

#include <squall/ioloop/base/time_span.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace squall::options {

// The sum of numbers with units: `1.5h`, `2d 3h`, `1h30m`, `1e2` (OPT-08). Units are w, d, h, m or min, s or
// sec, ms, us, ns, and their English names in the plural; without a unit a number has seconds. Spaces are
// allowed between all parts. A sum that does not fit becomes the nearest one that does. nullopt for any other
// text.
std::optional<TimeSpan> parse_duration(std::string_view text);
// A text that parse_duration() reads as `span`: `1h 30m`, `1s 500ms`, `0s`.
std::string format_duration(TimeSpan span);

// A date and a time without a zone, in one of these forms (OPT-07). A time without a date gets the date
// 1900-01-01. nullopt for any other text.
//
//     Sun Apr 28 05:16:00 2013
//     2013-04-28 05:16:00    2013-04-28 05:16    2013-04-28T05:16    2013-04-28
//     20130428 05:16:00      20130428 05:16      20130428
//     05:16:00               05:16
std::optional<std::chrono::local_seconds> parse_datetime(std::string_view text);
// `2013-04-28 05:16:00`.
std::string format_datetime(std::chrono::local_seconds time);

}  // namespace squall::options
