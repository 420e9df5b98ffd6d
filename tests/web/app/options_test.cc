#include <squall/web/app/application.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::web::options_test {
namespace {

TEST_CASE("the options of applications are aggregates that take designated initialisers", "[options]") {
  static_assert(std::is_aggregate_v<Settings>);
  CHECK(Settings{.max_arguments = 3}.max_arguments == 3);
}

}  // namespace
}  // namespace squall::web::options_test
