#include <squall/ioloop/loop/ioloop.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::options_test {
namespace {

TEST_CASE("the options of loops are aggregates that take designated initialisers", "[options]") {
  static_assert(std::is_aggregate_v<IOLoop::Options>);
  CHECK(IOLoop::Options{.poller = "poll", .slow_callback = std::chrono::seconds(1)}.poller == "poll");
}

}  // namespace
}  // namespace squall::options_test
