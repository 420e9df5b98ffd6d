#include <squall/iostream/address/default_resolver.h>

#include <squall/iostream/address/override_resolver.h>

#include <string>
#include <vector>

#include "support/catch.h"
#include "support/test_loop.h"

namespace squall::default_resolver_test {
namespace {

using testing::TestLoop;

TEST_CASE("the default resolver of the process can be replaced and restored (UTL-01)", "[resolver]") {
  TestLoop loop;
  Resolver& built_in = default_resolver();
  OverrideResolver replacement(built_in);
  replacement.map("shop.test", "192.0.2.1");
  Resolver* const former = set_default_resolver(&replacement);
  CHECK(former == nullptr);
  CHECK(&default_resolver() == &replacement);
  const std::vector<Address> addresses = loop.run(default_resolver().resolve("shop.test", 80));
  REQUIRE(addresses.size() == 1);
  CHECK(addresses[0].to_string() == "192.0.2.1:80");
  CHECK(set_default_resolver(former) == &replacement);
  CHECK(&default_resolver() == &built_in);
}

}  // namespace
}  // namespace squall::default_resolver_test
