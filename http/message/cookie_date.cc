#include <squall/http/message/cookie.h>
#include <squall/ioloop/base/ascii.h>

#include <algorithm>
#include <array>

namespace squall::http {
namespace {

bool is_delimiter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x09 || (byte >= 0x20 && byte <= 0x2f) || (byte >= 0x3b && byte <= 0x40) ||
         (byte >= 0x5b && byte <= 0x60) || (byte >= 0x7b && byte <= 0x7e);
}

// Removes a number of `min` to `max` digits from the front of the text. No further digit may follow.
std::optional<int> take_number(std::string_view& text, std::size_t min, std::size_t max) {
  std::size_t digits = 0;
  int number = 0;
  while (digits < text.size() && is_digit(text[digits])) {
    if (digits == max) return std::nullopt;
    number = number * 10 + (text[digits++] - '0');
  }
  if (digits < min) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

struct Found {
  std::optional<std::array<int, 3>> time;
  std::optional<int> day;
  std::optional<unsigned> month;
  std::optional<int> year;
};

std::optional<std::array<int, 3>> read_time(std::string_view token) {
  std::array<int, 3> time{};
  for (std::size_t i = 0; i < 3; ++i) {
    if (i > 0) {
      if (!token.starts_with(':')) return std::nullopt;
      token.remove_prefix(1);
    }
    const auto number = take_number(token, 1, 2);
    if (!number) return std::nullopt;
    time[i] = *number;
  }
  return time;
}

std::optional<unsigned> read_month(std::string_view token) {
  constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec"};
  for (unsigned i = 0; i < 12; ++i)
    if (equals_ignoring_case(token.substr(0, 3), kMonths[i])) return i + 1;
  return std::nullopt;
}

void read_token(Found& found, std::string_view token) {
  if (!found.time && (found.time = read_time(token))) return;
  std::string_view rest = token;
  if (!found.day && (found.day = take_number(rest, 1, 2))) return;
  if (!found.month && (found.month = read_month(token))) return;
  rest = token;
  if (!found.year) found.year = take_number(rest, 2, 4);
}

}  // namespace

std::optional<std::chrono::system_clock::time_point> parse_cookie_date(std::string_view text) noexcept {
  Found found;
  while (!text.empty()) {
    const std::size_t begin =
        static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_delimiter) - text.begin());
    text.remove_prefix(begin);
    const std::size_t size =
        static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_delimiter) - text.begin());
    if (size > 0) read_token(found, text.substr(0, size));
    text.remove_prefix(size);
  }
  if (!found.time || !found.day || !found.month || !found.year) return std::nullopt;
  const auto [hour, minute, second] = *found.time;
  int year = *found.year;
  if (year < 70) {
    year += 2000;
  } else if (year < 100) {
    year += 1900;
  }
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), month(*found.month),
                            day(static_cast<unsigned>(*found.day))};
  if (!date.ok() || year < 1601 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const sys_seconds time = sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
  // The clock cannot represent such years. time_point::max() is reserved for cookies without a date.
  if (year >= 2262) return system_clock::time_point::max() - system_clock::duration(1);
  if (year <= 1677) return system_clock::time_point::min();
  return time_point_cast<system_clock::duration>(time);
}

}  // namespace squall::http
