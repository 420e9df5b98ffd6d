// Dates of headers and cookies: a parsed date is formatted to the same time, and both parsers agree on it.

#include <squall/http/message/cookie.h>
#include <squall/http/message/date.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::http {
namespace {

const auto kNow = std::chrono::system_clock::from_time_t(1700000000);

void check(std::string_view text) {
  if (const auto date = parse_date(text, kNow)) {
    const std::string written = format_date(*date);
    FUZZ_CHECK(parse_date(written, kNow) == date);
    FUZZ_CHECK(parse_cookie_date(written) == date);
  }
  if (const auto date = parse_cookie_date(text)) {
    using Time = std::chrono::system_clock::time_point;
    FUZZ_CHECK(*date != Time::max());
    // A date beyond the clock's range becomes its nearest limit.
    if (*date != Time::max() - Time::duration(1) && *date != Time::min())
      FUZZ_CHECK(parse_date(format_date(*date), kNow) == date);
  }
}

}  // namespace
}  // namespace squall::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::http::check(text);
  return 0;
}
