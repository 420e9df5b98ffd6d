#include <squall/testing/expect_log.h>

#include <squall/testing/log_capture.h>

#include <optional>
#include <stdexcept>

#include "support/catch.h"

namespace squall::expect_log_test {
namespace {

using testing::ExpectLog;
using testing::LogCapture;
using testing::LogError;

TEST_CASE("a line that matches at its start is counted and dropped; other lines pass (TST-20)",
          "[expect_log]") {
  LogCapture outer;
  {
    const ExpectLog expected(log::general(), "disk .* full");
    log::general().warning("disk 3 is full");
    log::general().warning("no disk 3 is full");
    log::application().warning("disk 4 is full");
    CHECK(expected.matched() == 1);
  }
  outer.expect("no disk 3 is full");
  outer.expect("disk 4 is full");
}

TEST_CASE("silence is an error, unless it was said not to be (TST-20)", "[expect_log]") {
  CHECK_THROWS_WITH([] { const ExpectLog expected(log::general(), "never said"); }(),
                    "did not get expected log message: never said");
  CHECK_NOTHROW([] { const ExpectLog expected(log::general(), "never said", {.required = false}); }());
}

TEST_CASE("silence is no second error while an exception is under way (TST-20)", "[expect_log]") {
  const auto fails = [] {
    const ExpectLog expected(log::general(), "never said");
    throw std::runtime_error("the first");
  };
  CHECK_THROWS_WITH(fails(), "the first");
}

TEST_CASE("with a level that level alone matches, and is let through for the time (TST-20)", "[expect_log]") {
  LogCapture outer;
  CHECK_FALSE(log::general().enabled(log::Level::debug));
  {
    const ExpectLog expected(log::general(), "loading", {.level = log::Level::debug});
    log::general().debug("loading a");
    log::general().warning("loading b");
    CHECK(expected.matched() == 1);
  }
  CHECK_FALSE(log::general().enabled(log::Level::debug));
  CHECK_FALSE(log::general().own_level());
  outer.expect("loading b");
}

TEST_CASE("the root logger matches the lines of all loggers (TST-20)", "[expect_log]") {
  const ExpectLog expected(log::root(), "any");
  log::access().warning("any");
  log::application().error("any");
  CHECK(expected.matched() == 2);
}

}  // namespace
}  // namespace squall::expect_log_test
