#include <squall/ioloop/coro/periodic_callback.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::options_test {
namespace {

TEST_CASE("the options of periodic callbacks are aggregates that take designated initialisers", "[options]") {
  static_assert(std::is_aggregate_v<PeriodicCallback::Options>);
  CHECK(PeriodicCallback::Options{.jitter = 0.5}.jitter == 0.5);
}

}  // namespace
}  // namespace squall::options_test
