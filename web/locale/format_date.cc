#include <squall/web/locale/format_date.h>

#include <squall/web/locale/named_text.h>

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace squall::web::detail {
namespace {

using std::chrono::days;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using TimePoint = std::chrono::system_clock::time_point;

// The fields of a local time.
struct LocalTime {
  LocalTime(sys_seconds time, minutes gmt_offset)
      : local(time - gmt_offset),
        day(std::chrono::floor<days>(local)),
        date(day),
        weekday(day),
        clock(local - day) {}

  sys_seconds local;
  sys_days day;
  std::chrono::year_month_day date;
  std::chrono::weekday weekday;
  std::chrono::hh_mm_ss<seconds> clock;
};

void check_offset(minutes gmt_offset) {
  if (gmt_offset < -days(1) || gmt_offset > days(1))
    throw std::invalid_argument(fmt::format("gmt_offset of {} minutes: more than a day", gmt_offset.count()));
}

// Whole seconds, and the rest of at least 0: no overflow for any time of the clock.
struct Seconds {
  explicit Seconds(TimePoint time) {
    constexpr auto kTicks = TimePoint::duration(seconds(1)).count();
    const auto ticks = time.time_since_epoch().count();
    rest = (ticks % kTicks + kTicks) % kTicks;
    whole = sys_seconds(seconds((ticks - ticks % kTicks) / kTicks - (ticks % kTicks < 0 ? 1 : 0)));
  }

  sys_seconds whole;
  TimePoint::rep rest;
};

// Rounded down to whole seconds.
seconds distance(TimePoint from, TimePoint to) {
  const Seconds begin(from);
  const Seconds end(to);
  return end.whole - begin.whole - seconds(end.rest < begin.rest ? 1 : 0);
}

// The quotient to the nearest whole number, and to the even one if two are as near.
std::int64_t divide_rounded(std::int64_t value, std::int64_t divisor) noexcept {
  const std::int64_t quotient = value / divisor;
  const std::int64_t twice = value % divisor * 2;
  return twice > divisor || (twice == divisor && quotient % 2 != 0) ? quotient + 1 : quotient;
}

// LOC-22 to LOC-24, for dates of the last day.
std::string format_age(const Locale& locale, std::int64_t age) {
  const auto phrase = [&](std::string_view one, std::string_view several, std::string_view name,
                          std::int64_t count) {
    return fill_in(locale.translate(one, several, count), {{name, fmt::to_string(count)}});
  };
  if (age < 50) return phrase("1 second ago", "%(seconds)d seconds ago", "seconds", age);
  if (age < 50 * 60)
    return phrase("1 minute ago", "%(minutes)d minutes ago", "minutes", divide_rounded(age, 60));
  return phrase("1 hour ago", "%(hours)d hours ago", "hours", divide_rounded(age, 3600));
}

// LOC-25 to LOC-29.
std::string_view choose_format(days age, bool is_yesterday, const DateOptions& options) {
  const bool shorter = options.shorter;
  if (!options.full_format) {
    if (age < days(1)) return "%(time)s";
    if (age < days(2) && is_yesterday && options.relative)
      return shorter ? "yesterday" : "yesterday at %(time)s";
    if (age < days(5)) return shorter ? "%(weekday)s" : "%(weekday)s at %(time)s";
    if (age < days(334)) return shorter ? "%(month_name)s %(day)s" : "%(month_name)s %(day)s at %(time)s";
  }
  return shorter ? "%(month_name)s %(day)s, %(year)s" : "%(month_name)s %(day)s, %(year)s at %(time)s";
}

// LOC-30.
std::string format_time(std::string_view code, const std::chrono::hh_mm_ss<seconds>& clock) {
  const auto hour = clock.hours().count();
  const auto minute = clock.minutes().count();
  const auto hour_of_12 = hour % 12 == 0 ? 12 : hour % 12;
  if (code == "zh_CN")
    return fmt::format("{}{}:{:02}", hour >= 12 ? "\u4e0b\u5348" : "\u4e0a\u5348", hour_of_12, minute);
  if (code == "en" || code == "en_US")
    return fmt::format("{}:{:02} {}", hour_of_12, minute, hour >= 12 ? "pm" : "am");
  return fmt::format("{}:{:02}", hour, minute);
}

std::string fill_in_date(std::string_view format, const LocaleData& data, const LocalTime& time) {
  return fill_in(format, {{"month_name", data.months[static_cast<unsigned>(time.date.month()) - 1]},
                          {"weekday", data.weekdays[time.weekday.c_encoding()]},
                          {"day", fmt::to_string(static_cast<unsigned>(time.date.day()))},
                          {"year", fmt::to_string(static_cast<int>(time.date.year()))},
                          {"time", format_time(data.code, time.clock)}});
}

}  // namespace

std::string format_date(const Locale& locale, const LocaleData& data, TimePoint date,
                        const DateOptions& options) {
  check_offset(options.gmt_offset);
  const TimePoint now = options.now.value_or(std::chrono::system_clock::now());
  DateOptions form = options;
  seconds age = distance(date, now);
  if (date > now) {
    if (form.relative && distance(now, date) < seconds(60)) {
      date = now;
      age = seconds(0);
    } else {
      form.full_format = true;
    }
  }
  if (!form.full_format && form.relative && age < days(1)) return format_age(locale, age.count());
  const LocalTime time(Seconds(date).whole, form.gmt_offset);
  const LocalTime today(Seconds(now).whole, form.gmt_offset);
  const bool is_yesterday = time.day == today.day - days(1);
  const std::string_view format = choose_format(std::chrono::floor<days>(age), is_yesterday, form);
  return fill_in_date(data.translate(format), data, time);
}

std::string format_day(const LocaleData& data, TimePoint date, const DayOptions& options) {
  check_offset(options.gmt_offset);
  const std::string_view format =
      options.weekday ? "%(weekday)s, %(month_name)s %(day)s" : "%(month_name)s %(day)s";
  const LocalTime time(Seconds(date).whole, options.gmt_offset);
  return fill_in_date(data.translate(format), data, time);
}

}  // namespace squall::web::detail
