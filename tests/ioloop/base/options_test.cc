#include <squall/ioloop/base/log_file.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::options_test {
namespace {

TEST_CASE("the options of log files are aggregates that take designated initialisers", "[options]") {
  static_assert(std::is_aggregate_v<log::FileOptions>);
  CHECK(log::FileOptions{.prefix = "web.log", .num_backups = 3}.num_backups == 3);
  static_assert(std::is_aggregate_v<log::Options>);
  CHECK(log::Options{.to_stderr = true, .file = {.prefix = "web.log"}}.file.prefix == "web.log");
}

}  // namespace
}  // namespace squall::options_test
