#include <squall/options/value_type.h>

#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "support/catch.h"

namespace squall::options::value_type_test {
namespace {

using namespace std::chrono_literals;
using detail::Limits;
using detail::value_type;

// The value of a text; a text that is refused fails the test.
template <class T>
T read(const std::string& text) {
  T value{};
  CHECK(value_type<T>().read(text, {}, &value) == "");
  return value;
}

template <class T>
std::string problem(const std::string& text, const Limits& limits = {}) {
  T value{};
  return value_type<T>().read(text, limits, &value);
}

TEST_CASE("a bool is false only for `false`, `f` and `0` (OPT-06)", "[options]") {
  for (const char* text : {"false", "FALSE", "False", "f", "F", "0"}) CHECK_FALSE(read<bool>(text));
  for (const char* text : {"true", "1", "t", "yes", "no", "", "off", " false", "00"}) CHECK(read<bool>(text));
}

TEST_CASE("integers are decimal and within their type", "[options]") {
  CHECK(read<int>("-42") == -42);
  CHECK(read<int>("+42") == 42);
  CHECK(read<int>(" 42 ") == 42);
  CHECK(read<unsigned short>("65535") == 65535);
  CHECK(read<long long>("-9223372036854775808") == std::numeric_limits<long long>::min());
  CHECK(read<unsigned long long>("18446744073709551615") == std::numeric_limits<unsigned long long>::max());
  for (const char* text : {"", "x", "4 2", "0x10", "1.5", "1e3", "+-1", "--1", "+", "99999999999x"}) {
    INFO(text);
    CHECK(problem<int>(text) == "'" + std::string(text) + "' is not an integer");
  }
  CHECK(problem<int>("2147483648") == "2147483648 is not between -2147483648 and 2147483647");
  CHECK(problem<unsigned short>("65536") == "65536 is not between 0 and 65535");
  CHECK(problem<unsigned short>("-1") == "-1 is not between 0 and 65535");
  CHECK(problem<unsigned short>("-x") == "'-x' is not an integer");
}

TEST_CASE("a double is a decimal number", "[options]") {
  CHECK(read<double>("2.5") == 2.5);
  CHECK(read<double>("-1e-3") == -0.001);
  CHECK(problem<double>("2,5") == "'2,5' is not a number");
  CHECK(problem<double>("") == "'' is not a number");
  CHECK(problem<double>("1e999") == "1e999 does not fit a double");
}

TEST_CASE("durations and dates are read, and the messages name the text (OPT-07, OPT-08)", "[options]") {
  CHECK(read<TimeSpan>("1h 30m") == 90min);
  CHECK(problem<TimeSpan>("1x") == "'1x' is not a duration such as 90, 1.5s or 1h 30m");
  const auto time = read<std::chrono::local_seconds>("2013-04-28T05:16");
  CHECK(value_type<std::chrono::local_seconds>().write(&time) == "2013-04-28 05:16:00");
  CHECK(problem<std::chrono::local_seconds>("today") == "Unrecognized date/time format: 'today'");
}

TEST_CASE("a part of a list of integers may be a range, with both ends (OPT-05)", "[options]") {
  CHECK(read<std::vector<int>>("1:3") == std::vector{1, 2, 3});
  CHECK(read<std::vector<int>>("5:3").empty());
  CHECK(read<std::vector<int>>("-2:-1") == std::vector{-2, -1});
  CHECK(read<std::vector<int>>("2147483646:2147483647") == std::vector{2147483646, 2147483647});
  CHECK(read<std::vector<std::string>>("1:3") == std::vector<std::string>{"1:3"});
  CHECK(problem<std::vector<int>>("1:x") == "'x' is not an integer");
  CHECK(problem<std::vector<int>>("1:2:3") == "'2:3' is not an integer");
}

TEST_CASE("a list has at most a million values (OPT-05)", "[options]") {
  CHECK(read<std::vector<int>>("1:1000000").size() == 1'000'000);
  CHECK(problem<std::vector<int>>("0:1000000") == "there are more than 1000000 values");
  CHECK(problem<std::vector<long long>>("-9223372036854775808:9223372036854775807") ==
        "there are more than 1000000 values");
  std::vector<int> full(1'000'000);
  CHECK(value_type<std::vector<int>>().read("1", {}, &full) == "there are more than 1000000 values");
}

TEST_CASE("limits refuse a value with a message that names them", "[options]") {
  CHECK(problem<int>("0", {.least = 1, .most = 1024}) == "0 is not between 1 and 1024");
  CHECK(problem<int>("1", {.least = 1, .most = 1024}) == "");
  CHECK(problem<int>("1024", {.least = 1, .most = 1024}) == "");
  CHECK(problem<double>("0.05", {.least = 0.1L, .most = 10}) == "0.05 is not between 0.1 and 10");
  CHECK(problem<double>("nan", {.least = 0}) == "nan is not zero or more");
  CHECK(problem<double>("-inf", {.least = 0}) == "-inf is not zero or more");
  CHECK(problem<int>("0", {.above = 0}) == "0 is not positive");
  CHECK(problem<double>("nan", {.above = 0}) == "nan is not positive");
  CHECK(problem<TimeSpan>("2h", {.least = 1e9L, .most = 60e9L}) == "2h is not between 1s and 1m");
  CHECK(problem<std::string>("c", {.choices = {"a", "b"}}) == "'c' is not one of: a, b");
  CHECK(problem<std::string>("b", {.choices = {"a", "b"}}) == "");
  CHECK(problem<std::vector<int>>("1:9", {.least = 1, .most = 8}) == "9 is not between 1 and 8");
  CHECK(problem<std::vector<int>>("0", {.least = 1, .most = 8}) == "0 is not between 1 and 8");
  CHECK(problem<std::optional<int>>("0", {.above = 0}) == "0 is not positive");
}

TEST_CASE("limits hold for values that are not texts too", "[options]") {
  const int zero = 0;
  CHECK(value_type<int>().check(&zero, {.above = 0}) == "0 is not positive");
  const std::vector<double> list = {1, -1};
  CHECK(value_type<std::vector<double>>().check(&list, {.least = 0}) == "-1 is not zero or more");
  const std::optional<int> none;
  CHECK(value_type<std::optional<int>>().check(&none, {.above = 0}) == "");
}

TEST_CASE("a value is written as a text that is read as the same value", "[options]") {
  const auto written = [](const auto& value) {
    return value_type<std::remove_cvref_t<decltype(value)>>().write(&value);
  };
  CHECK(written(true) == "true");
  CHECK(written(2.5) == "2.5");
  CHECK(written(10.0) == "10");
  CHECK(written(std::string("a b")) == "a b");
  CHECK(written(TimeSpan(90min)) == "1h 30m");
  CHECK(written(std::vector<int>{1, 2}) == "1,2");
  CHECK(written(std::vector<std::string>()) == "");
  CHECK(written(std::optional<int>(3)) == "3");
  CHECK(written(std::optional<int>()) == std::nullopt);
}

TEST_CASE("types have names and words for the help", "[options]") {
  CHECK(value_type<unsigned short>().name == "unsigned short");
  CHECK(value_type<std::optional<std::string>>().name == "std::optional<std::string>");
  CHECK(value_type<std::vector<int>>().name == "std::vector<int>");
  CHECK(value_type<int>().metavar == "NUMBER");
  CHECK(value_type<std::string>().metavar == "TEXT");
  CHECK(value_type<TimeSpan>().metavar == "DURATION");
  CHECK(value_type<std::chrono::local_seconds>().metavar == "TIME");
  CHECK(value_type<std::optional<bool>>().is_flag);
  CHECK_FALSE(value_type<int>().is_flag);
  CHECK(value_type<std::vector<int>>().is_list);
}

TEST_CASE("only the types of options are options", "[options]") {
  STATIC_REQUIRE(OptionValue<std::optional<TimeSpan>>);
  STATIC_REQUIRE(OptionValue<std::vector<std::string>>);
  STATIC_REQUIRE_FALSE(OptionValue<float>);
  STATIC_REQUIRE_FALSE(OptionValue<const char*>);
  STATIC_REQUIRE_FALSE(OptionValue<std::vector<bool>>);
  STATIC_REQUIRE_FALSE(OptionValue<std::optional<std::vector<int>>>);
}

}  // namespace
}  // namespace squall::options::value_type_test
