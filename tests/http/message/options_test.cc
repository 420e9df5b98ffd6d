#include <squall/http/message/cookie_jar.h>
#include <squall/http/message/multipart.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::http::options_test {
namespace {

TEST_CASE("the options of cookie jars and forms are aggregates that take designated initialisers",
          "[options]") {
  static_assert(std::is_aggregate_v<CookieJar::Limits>);
  CHECK(CookieJar::Limits{.max_per_domain = 3}.max_per_domain == 3);
  static_assert(std::is_aggregate_v<MultipartLimits>);
  CHECK(MultipartLimits{.max_size = 3}.max_size == 3);
}

}  // namespace
}  // namespace squall::http::options_test
