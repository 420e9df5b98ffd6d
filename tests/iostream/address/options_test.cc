#include <squall/iostream/address/caching_resolver.h>
#include <squall/iostream/address/cares_resolver.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::options_test {
namespace {

TEST_CASE("the options of resolvers are aggregates that take designated initialisers", "[options]") {
  static_assert(std::is_aggregate_v<CachingResolver::Options>);
  CHECK(CachingResolver::Options{.negative_ttl = std::nullopt}.negative_ttl == std::nullopt);
  static_assert(std::is_aggregate_v<CaresResolver::Options>);
  CHECK(CaresResolver::Options{.servers = "192.0.2.1", .tries = 2}.tries == 2);
}

}  // namespace
}  // namespace squall::options_test
