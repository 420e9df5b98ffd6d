#include <squall/options/time_text.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/read_number.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

namespace squall::options {
namespace {

using std::chrono::nanoseconds;

void skip_spaces(std::string_view& text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
// The first name of each unit is the name that format_duration() writes.
constexpr Unit kUnits[] = {
    {"d", kDay},
    {"h", 3600 * kSecond},
    {"m", 60 * kSecond},
    {"s", kSecond},
    {"ms", 1'000'000},
    {"us", 1000},
    {"ns", 1},
    {"w", 7 * kDay},
    {"min", 60 * kSecond},
    {"sec", kSecond},
    {"weeks", 7 * kDay},
    {"days", kDay},
    {"hours", 3600 * kSecond},
    {"minutes", 60 * kSecond},
    {"seconds", kSecond},
    {"milliseconds", 1'000'000},
    {"microseconds", 1000},
    {"nanoseconds", 1},
};
constexpr std::size_t kWrittenUnits = 7;

// Takes a decimal number, with a sign, a fraction and an exponent if it has them.
std::optional<double> take_number(std::string_view& text) noexcept {
  const std::string_view rest = text.substr(text.starts_with('+') ? 1 : 0);
  const std::string_view digits = rest.substr(text.starts_with('-') ? 1 : 0);
  // read_number() also reads `inf` and `nan`.
  if (digits.empty() || !(is_digit(digits.front()) || digits.front() == '.')) return std::nullopt;
  double number = 0;
  const auto [stop, error] = read_number(rest, number);
  if (error != std::errc()) return std::nullopt;
  text = rest.substr(static_cast<std::size_t>(stop - rest.data()));
  return number;
}

// Takes the name of a unit, in nanoseconds; one second if there is no name.
std::optional<std::int64_t> take_unit(std::string_view& text) noexcept {
  const auto end = std::find_if_not(text.begin(), text.end(), is_alpha);
  const std::string_view name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  if (name.empty()) return kSecond;
  const auto* const unit = std::ranges::find(kUnits, name, &Unit::name);
  if (unit == std::end(kUnits)) return std::nullopt;
  text.remove_prefix(name.size());
  return unit->nanoseconds;
}

constexpr std::string_view kMonths = "janfebmaraprmayjunjulaugsepoctnovdec";
constexpr std::string_view kWeekdays = "montuewedthufrisatsun";

// Takes three letters of `names`, in upper or lower case: which of them it was.
std::optional<int> take_name(std::string_view& text, std::string_view names) noexcept {
  for (std::size_t at = 0; at < names.size(); at += 3) {
    if (!equals_ignoring_case(names.substr(at, 3), text.substr(0, 3))) continue;
    text.remove_prefix(3);
    return static_cast<int>(at / 3);
  }
  return std::nullopt;
}

std::optional<int> take_digits(std::string_view& text, std::size_t least, std::size_t most) noexcept {
  std::size_t count = 0;
  int number = 0;
  for (; count < most && count < text.size() && is_digit(text[count]); ++count)
    number = number * 10 + (text[count] - '0');
  if (count < least) return std::nullopt;
  text.remove_prefix(count);
  return number;
}

struct Fields {
  int year = 1900;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

bool store(std::optional<int> number, int& field) noexcept {
  if (number) field = *number;
  return number.has_value();
}

// Takes one field of strptime()'s format.
bool take_field(std::string_view& text, char field, Fields& fields) noexcept {
  switch (field) {
    case 'a': return take_name(text, kWeekdays).has_value();
    case 'b':
      if (!store(take_name(text, kMonths), fields.month)) return false;
      ++fields.month;
      return true;
    case 'Y': return store(take_digits(text, 4, 4), fields.year);
    case 'm': return store(take_digits(text, 1, 2), fields.month);
    case 'd': return store(take_digits(text, 1, 2), fields.day);
    case 'H': return store(take_digits(text, 1, 2), fields.hour);
    case 'M': return store(take_digits(text, 1, 2), fields.minute);
    default: return store(take_digits(text, 1, 2), fields.second);
  }
}

bool matches(std::string_view text, std::string_view format, Fields& fields) noexcept {
  for (; !format.empty(); format.remove_prefix(1)) {
    if (format.front() == '%') {
      format.remove_prefix(1);
      if (!take_field(text, format.front(), fields)) return false;
    } else {
      if (text.empty() || text.front() != format.front()) return false;
      text.remove_prefix(1);
    }
  }
  return text.empty();
}

}  // namespace

std::optional<TimeSpan> parse_duration(std::string_view text) {
  TimeSpan sum;
  skip_spaces(text);
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::optional<double> number = take_number(text);
    if (!number) return std::nullopt;
    skip_spaces(text);
    const std::optional<std::int64_t> unit = take_unit(text);
    if (!unit) return std::nullopt;
    const long double count = std::round(static_cast<long double>(*number) * static_cast<long double>(*unit));
    sum = saturating_add(sum, TimeSpan(std::chrono::duration<long double, std::nano>(count)));
    skip_spaces(text);
  }
  return sum;
}

std::string format_duration(TimeSpan span) {
  if (span.count() == 0) return "0s";
  std::string text;
  // Negative counts, because the shortest span has no positive counterpart.
  const bool is_negative = span.count() < 0;
  std::int64_t left = is_negative ? span.count() : -span.count();
  for (const Unit& unit : std::span(kUnits).first(kWrittenUnits)) {
    const std::int64_t count = left / unit.nanoseconds;
    if (count == 0) continue;
    left -= count * unit.nanoseconds;
    if (!text.empty()) text += ' ';
    text += fmt::format("{}{}", is_negative ? count : -count, unit.name);
  }
  return text;
}

std::optional<std::chrono::local_seconds> parse_datetime(std::string_view text) {
  constexpr std::string_view kFormats[] = {
      "%a %b %d %H:%M:%S %Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y%m%d %H:%M:%S",
      "%Y%m%d %H:%M",         "%Y-%m-%d",          "%Y%m%d",         "%H:%M:%S",       "%H:%M",
  };
  for (const std::string_view format : kFormats) {
    Fields fields;
    if (!matches(text, format, fields)) continue;
    const std::chrono::year_month_day date(std::chrono::year(fields.year),
                                           std::chrono::month(static_cast<unsigned>(fields.month)),
                                           std::chrono::day(static_cast<unsigned>(fields.day)));
    if (!date.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > 59) return std::nullopt;
    return std::chrono::local_days(date) + std::chrono::hours(fields.hour) +
           std::chrono::minutes(fields.minute) + std::chrono::seconds(fields.second);
  }
  return std::nullopt;
}

std::string format_datetime(std::chrono::local_seconds time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace squall::options
