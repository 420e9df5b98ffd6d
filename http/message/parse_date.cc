#include <squall/http/message/date.h>
#include <squall/ioloop/base/ascii.h>

#include <cstddef>

namespace squall::http {
namespace {

using std::chrono::system_clock;

// The unread rest of a date. Each take function returns false if the rest does not begin with that.
struct Rest {
  std::string_view text;

  bool take(char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
  }
  bool take_number(std::size_t digits, int& number) {
    if (text.size() < digits) return false;
    number = 0;
    for (const char c : text.substr(0, digits)) {
      if (!is_digit(c)) return false;
      number = number * 10 + (c - '0');
    }
    text.remove_prefix(digits);
    return true;
  }
  // The first three letters of a month.
  bool take_month(int& month) {
    constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                            "jul", "aug", "sep", "oct", "nov", "dec"};
    for (month = 1; month <= 12; ++month) {
      if (!equals_ignoring_case(text.substr(0, 3), kMonths[month - 1])) continue;
      text.remove_prefix(3);
      return true;
    }
    return false;
  }
};

struct Date {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int zone = 0;  // minutes east
};

// The size of the name of a weekday, in full or abbreviated to three letters; 0 for another text.
std::size_t weekday_size(std::string_view text) {
  constexpr std::string_view kDays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};
  for (const std::string_view day : kDays) {
    if (equals_ignoring_case(text.substr(0, day.size()), day)) return day.size();
    if (equals_ignoring_case(text.substr(0, 3), day.substr(0, 3))) return 3;
  }
  return 0;
}

bool take_time(Rest& rest, Date& date) {
  return rest.take_number(2, date.hour) && rest.take(':') && rest.take_number(2, date.minute) &&
         rest.take(':') && rest.take_number(2, date.second);
}

// ` GMT`, ` +0100`, or no text.
bool take_zone(Rest& rest, Date& date) {
  if (rest.text.empty()) return true;
  if (!rest.take(' ')) return false;
  if (equals_ignoring_case(rest.text, "GMT") || equals_ignoring_case(rest.text, "UTC")) return true;
  const int sign = rest.text.starts_with('-') ? -1 : 1;
  int hours = 0;
  int minutes = 0;
  if ((!rest.take('+') && !rest.take('-')) || !rest.take_number(2, hours) || !rest.take_number(2, minutes))
    return false;
  date.zone = sign * (hours * 60 + minutes);
  return rest.text.empty() && minutes < 60;
}

// `Nov  6 08:49:37 1994`
bool read_asctime(Rest rest, Date& date) {
  if (!rest.take_month(date.month) || !rest.take(' ')) return false;
  const std::size_t digits = rest.take(' ') ? 1 : 2;
  return rest.take_number(digits, date.day) && rest.take(' ') && take_time(rest, date) && rest.take(' ') &&
         rest.take_number(4, date.year) && rest.text.empty();
}

// `06 Nov 1994 08:49:37 GMT`
bool read_fixdate(Rest rest, Date& date) {
  return rest.take_number(2, date.day) && rest.take(' ') && rest.take_month(date.month) && rest.take(' ') &&
         rest.take_number(4, date.year) && rest.take(' ') && take_time(rest, date) && take_zone(rest, date);
}

// `06-Nov-94 08:49:37 GMT`
bool read_rfc850(Rest rest, Date& date, system_clock::time_point now) {
  if (!rest.take_number(2, date.day) || !rest.take('-') || !rest.take_month(date.month) || !rest.take('-') ||
      !rest.take_number(2, date.year) || !rest.take(' ') || !take_time(rest, date) || !take_zone(rest, date))
    return false;
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
  const int this_year = static_cast<int>(today.year());
  date.year += this_year - this_year % 100;
  if (date.year > this_year + 50) date.year -= 100;
  return true;
}

std::optional<system_clock::time_point> to_time(const Date& date) {
  using namespace std::chrono;
  const year_month_day day{year(date.year), month(static_cast<unsigned>(date.month)),
                           std::chrono::day(static_cast<unsigned>(date.day))};
  // 60 is a leap second.
  if (!day.ok() || date.hour > 23 || date.minute > 59 || date.second > 60) return std::nullopt;
  if (date.year < 1678 || date.year > 2261) return std::nullopt;
  const sys_seconds time =
      sys_days(day) + hours(date.hour) + minutes(date.minute - date.zone) + seconds(date.second);
  return time_point_cast<system_clock::duration>(time);
}

}  // namespace

std::optional<system_clock::time_point> parse_date(std::string_view text,
                                                   system_clock::time_point now) noexcept {
  Rest rest{trim(text)};
  const std::size_t weekday = weekday_size(rest.text);
  if (weekday == 0) return std::nullopt;
  rest.text.remove_prefix(weekday);
  Date date;
  const bool is_asctime = !rest.take(',');
  if (!rest.take(' ')) return std::nullopt;
  const bool is_read = is_asctime                 ? read_asctime(rest, date)
                       : read_fixdate(rest, date) ? true
                                                  : read_rfc850(rest, date, now);
  return is_read ? to_time(date) : std::nullopt;
}

}  // namespace squall::http
