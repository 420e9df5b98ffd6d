#include <squall/web/security/xsrf_token.h>

#include <cerrno>
#include <chrono>
#include <system_error>

#include "support/catch.h"
#include "support/faults.h"

namespace squall::web::xsrf_faults_test {
namespace {

TEST_CASE("without the system's generator there is no token and no mask (SEC-84)", "[xsrf_token]") {
  const auto now = std::chrono::system_clock::from_time_t(1700000000);
  {
    const testing::faults::Injection fault(testing::faults::Call::random, ENOSYS);
    CHECK_THROWS_AS(XsrfToken::random(now), std::system_error);
    CHECK(fault.hits() == 1);
  }
  const XsrfToken token("bytes", now);
  const testing::faults::Injection fault(testing::faults::Call::random, ENOSYS);
  CHECK_THROWS_AS(token.encode(), std::system_error);
  CHECK(token.encode(1) == "6279746573");
}

}  // namespace
}  // namespace squall::web::xsrf_faults_test
