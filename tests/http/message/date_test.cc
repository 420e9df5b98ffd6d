#include <squall/http/message/date.h>

#include "support/catch.h"

namespace squall::http::date_test {
namespace {

using std::chrono::system_clock;

TEST_CASE("dates are in the form of RFC 9110, whole seconds (HUT-51)", "[date]") {
  CHECK(format_date(system_clock::from_time_t(0)) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(format_date(system_clock::from_time_t(1359312200)) == "Sun, 27 Jan 2013 18:43:20 GMT");
  CHECK(format_date(system_clock::from_time_t(1700000000) + std::chrono::milliseconds(900)) ==
        "Tue, 14 Nov 2023 22:13:20 GMT");
}

long long read(std::string_view text) {
  // In November 2023.
  const auto date = parse_date(text, system_clock::from_time_t(1700000000));
  return date ? static_cast<long long>(system_clock::to_time_t(*date)) : -1;
}

TEST_CASE("dates are read in the three forms of RFC 9110, 5.6.7", "[date]") {
  CHECK(read("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
  CHECK(read("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
  CHECK(read("Sun Nov  6 08:49:37 1994") == 784111777);
  CHECK(read("Tue Nov 14 22:13:20 2023") == 1700000000);
  CHECK(read("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
  CHECK(read(" sun, 06 nov 1994 08:49:37 gmt ") == 784111777);
  CHECK(read("Sat, 29 Feb 2020 12:00:00 GMT") == 1582977600);
  CHECK(read("Mon, 06 Nov 1994 08:49:37 GMT") == 784111777);  // it was a Sunday
  CHECK(read("Sat, 31 Dec 2016 23:59:60 GMT") == 1483228800);
  for (std::time_t time : {0L, 951782400L, 1709164800L, 4102444799L, -86400L})
    CHECK(parse_date(format_date(system_clock::from_time_t(time))) == system_clock::from_time_t(time));
}

TEST_CASE("a year of two digits is at most 50 years ahead (RFC 9110, 5.6.7)", "[date]") {
  CHECK(read("Monday, 06-Nov-73 08:49:37 GMT") == 3277183777);
  CHECK(read("Tuesday, 06-Nov-74 08:49:37 GMT") == 152959777);
  CHECK(read("Thursday, 06-Nov-23 08:49:37 GMT") == 1699260577);
}

TEST_CASE("zones may be numbers or missing, and years before 1970 are years (WEB-151)", "[date]") {
  CHECK(read("Sun, 06 Nov 1994 09:49:37 +0100") == 784111777);
  CHECK(read("Sun, 06 Nov 1994 03:19:37 -0530") == 784111777);
  CHECK(read("Sun, 06 Nov 1994 08:49:37") == 784111777);
  CHECK(read("Sun, 06 Nov 1994 08:49:37 UTC") == 784111777);
  CHECK(read("Wed, 31 Dec 1969 00:00:00 GMT") == -86400);
}

TEST_CASE("a malformed date is refused (SEC-57)", "[date]") {
  for (const char* bad : {"",
                          "garbage",
                          "0",
                          "Sun",
                          "Sun,",
                          "Sun, 06 Nov 1994",
                          "06 Nov 1994 08:49:37 GMT",
                          "Sun, 6 Nov 1994 08:49:37 GMT",
                          "Sun, 06 Nov 94 08:49:37 GMT",
                          "Sun, 31 Feb 1994 08:49:37 GMT",
                          "Sun, 29 Feb 2023 08:49:37 GMT",
                          "Sun, 00 Nov 1994 08:49:37 GMT",
                          "Sun, 06 Nvo 1994 08:49:37 GMT",
                          "Sun, 06 Nov 1994 24:00:00 GMT",
                          "Sun, 06 Nov 1994 08:60:37 GMT",
                          "Sun, 06 Nov 1994 08:49:61 GMT",
                          "Sun, 06 Nov 1994 8:49:37 GMT",
                          "Sun, 06 Nov 1994 08:49:37 EST",
                          "Sun, 06 Nov 1994 08:49:37 GMT x",
                          "Sun, 06 Nov 1994 08:49:37 +01",
                          "Sun, 06 Nov 1994 08:49:37 +0199",
                          "Sun, 06  Nov 1994 08:49:37 GMT",
                          "Xun, 06 Nov 1994 08:49:37 GMT",
                          "Sun, 06-Nov-1994 08:49:37 GMT",
                          "Sun Nov  6 08:49:37 1994 GMT",
                          "Sun Nov 006 08:49:37 1994",
                          "Sun, 06 Nov 0000 08:49:37 GMT",
                          "Sun, 06 Nov 9999 08:49:37 GMT",
                          "Sun, -6 Nov 1994 08:49:37 GMT"}) {
    INFO(bad);
    CHECK(read(bad) == -1);
  }
}

}  // namespace
}  // namespace squall::http::date_test
