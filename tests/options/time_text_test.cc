#include <squall/options/time_text.h>

#include <chrono>
#include <string>

#include "support/catch.h"

namespace squall::options::time_text_test {
namespace {

using namespace std::chrono_literals;

std::string datetime(std::string_view text) {
  const auto time = parse_datetime(text);
  return time ? format_datetime(*time) : "none";
}

TEST_CASE("a duration is a sum of numbers with units (OPT-08)", "[options]") {
  CHECK(parse_duration("1.5h") == 5400s);
  CHECK(parse_duration("90") == 90s);
  CHECK(parse_duration("100ms") == 100ms);
  CHECK(parse_duration("1w") == 168h);
  CHECK(parse_duration("1e2") == 100s);
  CHECK(parse_duration("2d 3h") == 51h);
  CHECK(parse_duration("1h30m") == 90min);
  CHECK(parse_duration(" 1 h\t30 min 2sec ") == 5402s);
  CHECK(parse_duration("3us 4ns") == 3004ns);
  CHECK(parse_duration(".5s") == 500ms);
  CHECK(parse_duration("-1.5s +1s") == -500ms);
  CHECK(parse_duration("1weeks 1days 1hours 1minutes 1seconds 1milliseconds 1microseconds 1nanoseconds") ==
        8 * 24h + 1h + 1min + 1s + 1ms + 1us + 1ns);
}

TEST_CASE("a decimal fraction of a duration is rounded, not cut off (OPT-08)", "[options]") {
  CHECK(parse_duration("0.3s") == 300ms);
  CHECK(parse_duration("1.1ms") == 1100us);
}

TEST_CASE("a duration that does not fit becomes the longest (OPT-08)", "[options]") {
  CHECK(parse_duration("1e30w") == TimeSpan(std::chrono::nanoseconds::max()));
  CHECK(parse_duration("-1e30w") == TimeSpan(std::chrono::nanoseconds::min()));
  CHECK(parse_duration("200000d 200000d") == TimeSpan(std::chrono::nanoseconds::max()));
}

TEST_CASE("any other text is not a duration (OPT-08)", "[options]") {
  for (const char* text :
       {"", " ", "h", "1x", "1H", "1 h h", "inf", "nan", "1e", "--1", "+-1", "0x10", "1e999", "1,5", "."}) {
    INFO(text);
    CHECK(parse_duration(text) == std::nullopt);
  }
}

TEST_CASE("a duration is written with its largest units, and read back (OPT-08)", "[options]") {
  CHECK(format_duration(0s) == "0s");
  CHECK(format_duration(5400s) == "1h 30m");
  CHECK(format_duration(1500ms) == "1s 500ms");
  CHECK(format_duration(-61s) == "-1m -1s");
  CHECK(format_duration(TimeSpan::max()) == "106751d 23h 47m 16s 854ms 775us 807ns");
  for (const TimeSpan span : {TimeSpan(1ns), TimeSpan(8h + 3us), TimeSpan(-61s), TimeSpan(40 * 24h)})
    CHECK(parse_duration(format_duration(span)) == span);
}

TEST_CASE("a date and a time have one of ten forms (OPT-07)", "[options]") {
  CHECK(datetime("Sun Apr 28 05:16:00 2013") == "2013-04-28 05:16:00");
  CHECK(datetime("2013-04-28 05:16:07") == "2013-04-28 05:16:07");
  CHECK(datetime("2013-04-28 05:16") == "2013-04-28 05:16:00");
  CHECK(datetime("2013-04-28T05:16") == "2013-04-28 05:16:00");
  CHECK(datetime("20130428 05:16:07") == "2013-04-28 05:16:07");
  CHECK(datetime("20130428 05:16") == "2013-04-28 05:16:00");
  CHECK(datetime("2013-04-28") == "2013-04-28 00:00:00");
  CHECK(datetime("20130428") == "2013-04-28 00:00:00");
  CHECK(datetime("05:16:07") == "1900-01-01 05:16:07");
  CHECK(datetime("05:16") == "1900-01-01 05:16:00");
  CHECK(datetime("sun APR 8 5:16:00 2013") == "2013-04-08 05:16:00");
  CHECK(datetime("2024-02-29") == "2024-02-29 00:00:00");
}

TEST_CASE("any other text, and a day that does not exist, is not a date (OPT-07)", "[options]") {
  for (const char* text : {"", "2013", "2013-04-28T05:16:07", "2013-13-01", "2023-02-29", "24:00", "05:60",
                           "05:16:60", "2013-04-28 ", " 2013-04-28", "Xyz Apr 28 05:16:00 2013",
                           "Sun Abc 28 05:16:00 2013", "13-04-28", "2013-0-1", "201304281"}) {
    INFO(text);
    CHECK(datetime(text) == "none");
  }
}

}  // namespace
}  // namespace squall::options::time_text_test
