#include <squall/web/handler/path_args.h>

#include <cstdint>
#include <limits>
#include <string>

#include "support/catch.h"

namespace squall::web::path_args_test {
namespace {

struct Color {
  std::string name;
};

}  // namespace

}  // namespace squall::web::path_args_test

template <>
struct squall::web::ArgumentConverter<squall::web::path_args_test::Color> {
  static std::optional<path_args_test::Color> convert(std::string decoded) {
    if (decoded != "red") return std::nullopt;
    return path_args_test::Color{decoded};
  }
};

namespace squall::web::path_args_test {
namespace {

template <class T>
std::optional<T> convert(std::optional<std::string_view> group) {
  return detail::convert_group<T>(group);
}

TEST_CASE("a number must be the whole group and must fit its type", "[path_args]") {
  CHECK(convert<int>("12") == 12);
  CHECK(convert<int>("-12") == -12);
  CHECK(convert<std::int64_t>("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK_FALSE(convert<std::int64_t>("9223372036854775808"));
  CHECK_FALSE(convert<unsigned>("-1"));
  CHECK_FALSE(convert<std::uint8_t>("256"));
  for (const char* bad : {"", "x", "12x", " 12", "+12", "0x12", "1.0"}) CHECK_FALSE(convert<int>(bad));
  CHECK(convert<double>("1.5") == 1.5);
  CHECK(convert<double>("-2e3") == -2000.0);
  CHECK_FALSE(convert<double>("1.5.2"));
  CHECK(convert<int>("%31%32") == 12);
}

TEST_CASE("a floating point number is finite", "[path_args]") {
  for (const char* bad : {"nan", "NaN", "-nan", "nan(1)", "inf", "-inf", "Infinity", "1e999", "%6ean"}) {
    CHECK_FALSE(convert<double>(bad));
    CHECK_FALSE(convert<float>(bad));
  }
  CHECK_FALSE(convert<float>("1e39"));
  CHECK(convert<double>("1e308") == 1e308);
}

TEST_CASE("bool has the spellings of forms, in any case", "[path_args]") {
  for (const char* yes : {"1", "true", "True", "yes", "ON"}) CHECK(convert<bool>(yes) == true);
  for (const char* no : {"0", "false", "FALSE", "no", "off"}) CHECK(convert<bool>(no) == false);
  for (const char* bad : {"", "2", "t", "yes ", "oui"}) CHECK_FALSE(convert<bool>(bad));
}

TEST_CASE("strings are percent-decoded, and plus stays plus (WEB-33)", "[path_args]") {
  CHECK(convert<std::string>("a%20b%2Fc+d") == "a b/c+d");
  CHECK(convert<std::string>("") == "");
  CHECK(convert<std::string>("%C3%A9") == "\xC3\xA9");
  CHECK_THROWS_AS(convert<std::string>("%ff"), HTTPError);
}

TEST_CASE(
    "an optional group that did not match is an empty std::optional, and does not convert to other types "
    "(WEB-17)",
    "[path_args]") {
  CHECK(convert<std::optional<int>>(std::nullopt).value() == std::nullopt);
  CHECK(convert<std::optional<int>>("3").value() == 3);
  CHECK_FALSE(convert<std::optional<int>>("x"));
  CHECK_FALSE(convert<int>(std::nullopt));
  CHECK_FALSE(convert<std::string>(std::nullopt));
}

TEST_CASE("a user's own type needs an ArgumentConverter", "[path_args]") {
  CHECK(convert<Color>("red")->name == "red");
  CHECK_FALSE(convert<Color>("blue"));
}

}  // namespace
}  // namespace squall::web::path_args_test
