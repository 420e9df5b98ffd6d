#include <squall/http/message/range.h>

#include <chrono>
#include <string>
#include <vector>

#include "support/catch.h"

namespace squall::http::range_test {
namespace {

using Kind = RangeAnswer::Kind;
const std::optional<std::int64_t> kNone;

TEST_CASE("one range of bytes is read, anything else is ignored (HUT-95, HUT-96)", "[range]") {
  CHECK(parse_range("bytes=1-2") == RangeSpec{1, 3});
  CHECK(parse_range("bytes=6-") == RangeSpec{6, kNone});
  CHECK(parse_range("bytes=-6") == RangeSpec{-6, kNone});
  CHECK(parse_range("bytes=-0") == RangeSpec{kNone, 0});
  CHECK(parse_range("bytes=") == RangeSpec{kNone, kNone});
  CHECK(parse_range("bytes=-") == RangeSpec{kNone, kNone});
  CHECK(parse_range("bytes=5-2") == RangeSpec{5, 3});
  CHECK(parse_range(" Bytes = 1 - 2 ") == RangeSpec{1, 3});
  for (const char* bad : {"bytes=1-2,6-10", "foo=42", "bytes=a-b", "bytes=+1-2", "bytes=1_0-", "bytes=--1",
                          "bytes=1", "bytes", "", "=1-2", "bytes=1-2-3", "bytes=0x1-", "bytes=1 2-3"}) {
    INFO(bad);
    CHECK_FALSE(parse_range(bad));
  }
}

TEST_CASE("a range of ten bytes is answered as the table says (WEB-160 to WEB-167)", "[range]") {
  const auto answer = [](std::string_view header, std::uint64_t size = 10) {
    return answer_range(parse_range(header), size);
  };
  const auto part = [](std::uint64_t begin, std::uint64_t end) {
    return RangeAnswer{Kind::partial, {{begin, end}}};
  };
  const RangeAnswer whole;
  const RangeAnswer none{Kind::unsatisfiable, {}};
  CHECK(answer("bytes=0-4") == part(0, 5));
  CHECK(answer("bytes=5-") == part(5, 10));
  CHECK(answer("bytes=-3") == part(7, 10));
  CHECK(answer("bytes=9-9") == part(9, 10));
  CHECK(answer("bytes=1-99999999999999999999999") == part(1, 10));
  for (const char* all :
       {"bytes=0-", "bytes=0-9", "bytes=0-100", "bytes=-100", "bytes=-99999999999999999999999"})
    CHECK(answer(all) == whole);
  for (const char* bad : {"bytes=10-", "bytes=-0", "bytes=5-2", "bytes=99999999999999999999999-"})
    CHECK(answer(bad) == none);
  for (const char* ignored : {"bytes=0-1,3-4", "foo=1-2", "bytes=", "garbage"})
    CHECK(answer(ignored) == whole);
  for (const char* empty : {"bytes=0-", "bytes=0-4", "bytes=-5"}) CHECK(answer(empty, 0) == none);
  CHECK(format_content_range({0, 5}, 10) == "bytes 0-4/10");
  CHECK(format_content_range(10) == "bytes */10");
}

TEST_CASE("several ranges are put together where they meet, and limited (RFC 9110, 14.2)", "[range]") {
  const auto ranges = [](std::string_view header, std::size_t max = 16) {
    return answer_ranges(header, 100, max);
  };
  const auto parts = [](std::vector<ByteRange> list) { return RangeAnswer{Kind::partial, std::move(list)}; };
  CHECK(ranges("bytes=0-1, 4-5") == parts({{0, 2}, {4, 6}}));
  CHECK(ranges("bytes=50-59,0-9") == parts({{50, 60}, {0, 10}}));
  CHECK(ranges("bytes=0-9,5-14,15-19") == parts({{0, 20}}));
  CHECK(ranges("bytes=0-1,4-5,2-3,-10") == parts({{0, 6}, {90, 100}}));
  CHECK(ranges("bytes=0-4,200-300") == parts({{0, 5}}));
  CHECK(ranges("bytes=0-49,50-") == RangeAnswer());
  CHECK(ranges("bytes=200-,300-") == RangeAnswer{Kind::unsatisfiable, {}});
  CHECK(ranges("bytes=,,0-1,,") == parts({{0, 2}}));
  for (const char* ignored : {"bytes=0-1,x", "bytes=", "bytes=,", "items=0-1", "bytes=0-1,-", "bytes=1"})
    CHECK(ranges(ignored) == RangeAnswer());
  CHECK(ranges("bytes=0-0,2-2,4-4", 3).ranges.size() == 3);
  CHECK(ranges("bytes=0-0,2-2,4-4", 2) == RangeAnswer());
}

TEST_CASE("parse_content_range() reads the output of format_content_range()", "[range]") {
  CHECK(parse_content_range("bytes 0-4/10") == ContentRange{ByteRange{0, 5}, 10});
  CHECK(parse_content_range("BYTES 0-4/*") == ContentRange{ByteRange{0, 5}, std::nullopt});
  CHECK(parse_content_range("bytes */10") == ContentRange{std::nullopt, 10});
  CHECK(parse_content_range(format_content_range({7, 10}, 10)) == ContentRange{ByteRange{7, 10}, 10});
  for (const char* bad : {"", "bytes", "bytes 0-4", "bytes 4-0/10", "bytes 0-10/10", "bytes */*",
                          "items 0-4/10", "bytes 0-/10", "bytes -4/10", "bytes +0-4/10", "bytes 0-4/",
                          "bytes 0-99999999999999999999/*", "bytes/0-4 10", "bytes 0 - 4/10"}) {
    INFO(bad);
    CHECK_FALSE(parse_content_range(bad));
  }
}

TEST_CASE("If-Range holds for the same strong tag or the very same date (RFC 9110, 13.1.5)", "[range]") {
  const auto modified = std::chrono::system_clock::from_time_t(1700000000) + std::chrono::milliseconds(500);
  CHECK(if_range_holds("\"a\"", "\"a\"", modified));
  CHECK_FALSE(if_range_holds("\"b\"", "\"a\"", modified));
  CHECK_FALSE(if_range_holds("W/\"a\"", "W/\"a\"", modified));
  CHECK_FALSE(if_range_holds("\"a\"", "W/\"a\"", modified));
  CHECK_FALSE(if_range_holds("\"a\"", "", modified));
  CHECK(if_range_holds("Tue, 14 Nov 2023 22:13:20 GMT", "\"a\"", modified));
  CHECK_FALSE(if_range_holds("Tue, 14 Nov 2023 22:13:21 GMT", "\"a\"", modified));
  CHECK_FALSE(if_range_holds("Tue, 14 Nov 2023 22:13:20 GMT", "\"a\"", std::nullopt));
  CHECK_FALSE(if_range_holds("garbage", "\"a\"", modified));
  CHECK_FALSE(if_range_holds("", "", std::nullopt));
}

}  // namespace
}  // namespace squall::http::range_test
