#include <squall/iostream/process/subprocess.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::options_test {
namespace {

TEST_CASE("the options of child processes are aggregates that take designated initialisers", "[options]") {
  static_assert(std::is_aggregate_v<Subprocess::Options>);
  CHECK(Subprocess::Options{.std_out = Subprocess::kStream, .directory = "/"}.directory == "/");
}

}  // namespace
}  // namespace squall::options_test
