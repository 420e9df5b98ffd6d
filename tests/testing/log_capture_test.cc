#include <squall/testing/log_capture.h>

#include <stdexcept>

#include "support/catch.h"

namespace squall::log_capture_test {
namespace {

using testing::LogCapture;
using testing::LogError;

TEST_CASE("an unexpected line is an error at the end, with its text", "[log_capture]") {
  const auto logs = [] {
    const LogCapture log;
    squall::log::general().warning("unforeseen");
  };
  CHECK_THROWS_WITH(logs(), "logged, and not expected:\n  squall.general: unforeseen");
}

TEST_CASE("an expected line is not an error, a missing one is", "[log_capture]") {
  LogCapture log;
  squall::log::application().error("disk {} is full", 3);
  const LogCapture::Line line = log.expect("is full");
  CHECK(line.logger == "squall.application");
  CHECK(line.level == squall::log::Level::error);
  CHECK(line.message == "disk 3 is full");
  CHECK_THROWS_WITH(log.expect("is full"), "not logged: is full; nothing was");
  squall::log::application().error("other");
  CHECK_THROWS_WITH(log.expect("is full"), "not logged: is full; but:\n  squall.application: other");
  CHECK(log.expect_any("other") == 1);
  CHECK(log.empty());
}

TEST_CASE("lines below the level are neither printed nor kept", "[log_capture]") {
  LogCapture log;
  squall::log::general().info("routine");
  CHECK(log.empty());
}

TEST_CASE("an exception under way is not replaced", "[log_capture]") {
  const auto fails = [] {
    const LogCapture log;
    squall::log::general().warning("unforeseen");
    throw std::runtime_error("the first");
  };
  CHECK_THROWS_WITH(fails(), "the first");
}

}  // namespace
}  // namespace squall::log_capture_test
