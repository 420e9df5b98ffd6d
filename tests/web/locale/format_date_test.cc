#include <squall/web/locale/locale.h>
#include <squall/web/locale/locales.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "support/catch.h"
#include "support/temporary_folder.h"

namespace squall::web::format_date_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::system_clock;
using testing::TemporaryFolder;

// A Friday.
constexpr system_clock::time_point kNow = std::chrono::sys_days(std::chrono::March / 15 / 2024) + 14h + 30min;

Locale english() { return Locales().get("en_US"); }

// The date of that age.
std::string aged(system_clock::duration age, DateOptions options = {}, const Locale& locale = english()) {
  options.now = kNow;
  return locale.format_date(kNow - age, options);
}

TEST_CASE("dates of the last minutes are seconds and minutes ago (LOC-22, LOC-23)", "[format_date]") {
  CHECK(aged(0s) == "0 seconds ago");
  CHECK(aged(1s) == "1 second ago");
  CHECK(aged(49s) == "49 seconds ago");
  CHECK(aged(49s + 999ms) == "49 seconds ago");
  CHECK(aged(50s) == "1 minute ago");
  CHECK(aged(89s) == "1 minute ago");
  CHECK(aged(90s) == "2 minutes ago");
  CHECK(aged(150s) == "2 minutes ago");
  CHECK(aged(49min + 59s) == "50 minutes ago");
}

TEST_CASE("dates of the last day are hours ago (LOC-24)", "[format_date]") {
  CHECK(aged(50min) == "1 hour ago");
  CHECK(aged(2h + 30min) == "2 hours ago");
  CHECK(aged(3h + 30min) == "4 hours ago");
  CHECK(aged(23h + 59min) == "24 hours ago");
}

TEST_CASE("a date of the last day is a time if it is not relative (LOC-25)", "[format_date]") {
  CHECK(aged(2h, {.relative = false}) == "12:30 pm");
  CHECK(aged(2h, {.full_format = true}) == "March 15, 2024 at 12:30 pm");
  CHECK(aged(2h, {.shorter = true, .full_format = true}) == "March 15, 2024");
}

TEST_CASE("yesterday is named if dates are relative (LOC-26)", "[format_date]") {
  CHECK(aged(24h) == "yesterday at 2:30 pm");
  CHECK(aged(24h, {.shorter = true}) == "yesterday");
  CHECK(aged(24h, {.relative = false}) == "Thursday at 2:30 pm");
  // More than a day, but not two, and the day before yesterday.
  CHECK(aged(24h + 20h) == "Wednesday at 6:30 pm");
}

TEST_CASE("dates of five days are weekdays, and of eleven months have no year (LOC-27 to LOC-29)",
          "[format_date]") {
  CHECK(aged(days(4) + 23h) == "Sunday at 3:30 pm");
  CHECK(aged(days(4) + 23h, {.shorter = true}) == "Sunday");
  CHECK(aged(days(5)) == "March 10 at 2:30 pm");
  CHECK(aged(days(5), {.shorter = true}) == "March 10");
  CHECK(aged(days(333)) == "April 17 at 2:30 pm");
  CHECK(aged(days(334)) == "April 16, 2023 at 2:30 pm");
  CHECK(aged(days(334), {.shorter = true}) == "April 16, 2023");
}

TEST_CASE("the offset is subtracted, in minutes", "[format_date]") {
  CHECK(aged(days(2), {.gmt_offset = 480min}) == "Wednesday at 6:30 am");
  // Yesterday by the local clock.
  CHECK(aged(days(1) + 10min, {.gmt_offset = -600min}) == "yesterday at 12:20 am");
  CHECK(aged(days(1) + 3h, {.gmt_offset = -600min}) == "Thursday at 9:30 pm");
  CHECK(aged(days(1) + 3h) == "yesterday at 11:30 am");
  CHECK_THROWS_AS(aged(0s, {.gmt_offset = 1441min}), std::invalid_argument);
  CHECK_THROWS_AS(english().format_day(kNow, {.gmt_offset = -1441min}), std::invalid_argument);
}

TEST_CASE("the next minute counts as now, and other dates of the future have the year (LOC-20, LOC-21)",
          "[format_date]") {
  CHECK(aged(-59s) == "0 seconds ago");
  CHECK(aged(-59s - 999ms) == "0 seconds ago");
  CHECK(aged(-60s) == "March 15, 2024 at 2:31 pm");
  CHECK(aged(-days(1) - 30s) == "March 16, 2024 at 2:30 pm");
  CHECK(aged(-10s, {.relative = false}) == "March 15, 2024 at 2:30 pm");
  CHECK(aged(-days(1), {.shorter = true}) == "March 16, 2024");
}

TEST_CASE("the time is written as in the language (LOC-30)", "[format_date]") {
  Locales spanish("es_ES");
  CHECK(aged(days(40), {}, spanish.get("es_ES")) == "February 4 at 14:30");
  CHECK(aged(days(40), {}, Locales("zh_CN").get("zh_CN")) == "February 4 at 下午2:30");
  CHECK(aged(days(40), {}, Locales("en").get("en")) == "February 4 at 2:30 pm");
  CHECK(aged(days(40), {}, Locales("en_GB").get("en_GB")) == "February 4 at 14:30");
  const DateOptions time{.relative = false};
  CHECK(aged(14h + 25min, time) == "12:05 am");
  CHECK(aged(2h + 25min, time) == "12:05 pm");
  CHECK(aged(14h + 25min, time, spanish.get("es_ES")) == "0:05");
  CHECK(aged(14h + 25min, time, Locales("zh_CN").get("zh_CN")) == "上午12:05");
}

TEST_CASE("a day is a weekday, a month and its number (LOC-10)", "[format_date]") {
  const auto date = std::chrono::sys_days(std::chrono::January / 22 / 2018);
  CHECK(english().format_day(date) == "Monday, January 22");
  CHECK(english().format_day(date, {.weekday = false}) == "January 22");
  CHECK(english().format_day(date, {.gmt_offset = 1min}) == "Sunday, January 21");
}

TEST_CASE("phrases, months and weekdays are translated", "[format_date]") {
  const TemporaryFolder folder;
  folder.file("de.csv",
              "February,Februar\nWednesday,Mittwoch\n1 minute ago,vor 1 Minute,singular\n"
              "%(minutes)d minutes ago,vor %(minutes)d Minuten,plural\n"
              "%(month_name)s %(day)s at %(time)s,%(day)s. %(month_name)s um %(time)s\n"
              "\"%(weekday)s, %(month_name)s %(day)s\",\"%(weekday)s, %(day)s. %(month_name)s\"\n");
  Locales locales;
  locales.load_translations(folder / "");
  const Locale german = locales.get("de");
  CHECK(aged(60s, {}, german) == "vor 1 Minute");
  CHECK(aged(120s, {}, german) == "vor 2 Minuten");
  CHECK(aged(days(40), {}, german) == "4. Februar um 14:30");
  CHECK(german.format_day(kNow - days(30)) == "Mittwoch, 14. Februar");
}

TEST_CASE("without a time the distance is that to the clock", "[format_date]") {
  CHECK(english().format_date(system_clock::now() - 10min) == "10 minutes ago");
}

TEST_CASE("the first and last times of the clock are formatted", "[format_date]") {
  const DateOptions options{.gmt_offset = 60min, .now = system_clock::time_point::max()};
  CHECK(english().format_date(system_clock::time_point::min(), options).starts_with("September 2"));
  DateOptions past = options;
  past.now = system_clock::time_point::min();
  CHECK(english().format_date(system_clock::time_point::max(), past).starts_with("April 11, 2262 at"));
  CHECK(english().format_date(system_clock::time_point::max(), options) == "0 seconds ago");
}

}  // namespace
}  // namespace squall::web::format_date_test
