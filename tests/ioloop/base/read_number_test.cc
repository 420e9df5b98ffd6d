#include <squall/ioloop/base/read_number.h>

#include <squall/ioloop/base/read_by_strtod.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "support/catch.h"

namespace squall::read_number_test {
namespace {

// The number, how many characters were read, and the error, of each way to read one.
template <class Number>
struct Reading {
  Number number = 7;
  std::size_t length = 0;
  std::errc error{};

  friend bool operator==(const Reading& a, const Reading& b) {
    const bool is_same = a.number == b.number || (std::isnan(a.number) && std::isnan(b.number));
    return is_same && std::signbit(a.number) == std::signbit(b.number) && a.length == b.length &&
           a.error == b.error;
  }
};

template <class Number>
Reading<Number> reading_of(std::string_view text) {
  Reading<Number> reading;
  const auto [stop, error] = read_number(text, reading.number);
  reading.length = static_cast<std::size_t>(stop - text.data());
  reading.error = error;
  return reading;
}

template <class Number>
Reading<Number> reading_by_strtod(std::string_view text) {
  Reading<Number> reading;
  const auto [stop, error] = detail::read_by_strtod(text, reading.number);
  reading.length = static_cast<std::size_t>(stop - text.data());
  reading.error = error;
  return reading;
}

const char* const kNumbers[] = {
    "0",          "-0",
    "1",          "1.5",
    "-1.5",       ".5",
    "-.5",        "5.",
    "1e3",        "1E+3",
    "1e-3",       "1.5e2x",
    "0.1",        "1e",
    "1e+",        "2.5.5",
    "1,5",        "0x10",
    "1e308",      "1e-308",
    "5e-324",     "3.4e38",
    "1e-45",      "inf",
    "-inf",       "INF",
    "nan",        "-nan",
    "nan(",       "in",
    "nanx",       "infinity",
    "-Infinity",  "nan(1)",
    "infinit",    "00012.50",
    "4294967297", "1234567890123456789012345678901234567890",
    "0e999",      "0.000e-999",
};
const char* const kNotNumbers[] = {"", "-", "+1", " 1", ".", "-.", "e5", ".e5", "x", "--1", "-+1"};
const char* const kTooLarge[] = {"1e999", "-1e999", "1e-999", "-1.5e-999x", "1e400"};

TEST_CASE("a number is read from the beginning of the text, and no more than that", "[read_number]") {
  CHECK(reading_of<double>("-1.5e2x") == Reading<double>{-150, 6});
  CHECK(reading_of<float>(".25") == Reading<float>{0.25F, 3});
  CHECK(reading_of<long double>("1e3") == Reading<long double>{1000, 3});
  CHECK(reading_of<std::int64_t>("12.5").number == 12);
  CHECK(reading_of<std::int64_t>("12.5").length == 2);
  CHECK(reading_of<std::uint8_t>("256").error == std::errc::result_out_of_range);
}

TEST_CASE("a text that is no number, or one beyond the type, leaves the value as it was", "[read_number]") {
  for (const std::string_view text : kNotNumbers) {
    CAPTURE(text);
    CHECK(reading_of<double>(text) == Reading<double>{7, 0, std::errc::invalid_argument});
  }
  for (const std::string_view text : kTooLarge) {
    CAPTURE(text);
    CHECK(reading_of<double>(text) ==
          Reading<double>{7, text.size() - (text.ends_with('x') ? 1 : 0), std::errc::result_out_of_range});
  }
}

TEST_CASE("strtod() reads what std::from_chars() reads", "[read_number]") {
  using Texts = std::span<const char* const>;
  for (const Texts texts : {Texts(kNumbers), Texts(kNotNumbers), Texts(kTooLarge)}) {
    for (const std::string_view text : texts) {
      CAPTURE(text);
      CHECK(reading_by_strtod<double>(text) == reading_of<double>(text));
      CHECK(reading_by_strtod<float>(text) == reading_of<float>(text));
      CHECK(reading_by_strtod<long double>(text) == reading_of<long double>(text));
    }
  }
}

TEST_CASE("no byte behind the text is read", "[read_number]") {
  const std::string text = "1.25e10";
  CHECK(reading_of<double>(std::string_view(text).substr(0, 3)) == Reading<double>{1.2, 3});
  CHECK(reading_by_strtod<double>(std::string_view(text).substr(0, 3)) == Reading<double>{1.2, 3});
}

}  // namespace
}  // namespace squall::read_number_test
