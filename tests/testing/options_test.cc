#include <squall/testing/expect_log.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::testing::options_test {
namespace {

TEST_CASE("the options of expected log lines are aggregates that take designated initialisers", "[options]") {
  static_assert(std::is_aggregate_v<ExpectLog::Options>);
  CHECK(ExpectLog::Options{.required = false, .level = log::Level::info}.level == log::Level::info);
}

}  // namespace
}  // namespace squall::testing::options_test
