#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/stream/regex.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::options_test {
namespace {

TEST_CASE("the options of streams are aggregates that take designated initialisers", "[options]") {
  static_assert(std::is_aggregate_v<IOStream::Options>);
  CHECK(IOStream::Options{.max_write_buffer_size = 3}.max_write_buffer_size == 3);
  static_assert(std::is_aggregate_v<IOStream::UntilOptions>);
  CHECK(IOStream::UntilOptions{.max_bytes = 3}.max_bytes == 3);
  static_assert(std::is_aggregate_v<RegexOptions>);
  CHECK(RegexOptions{.max_steps = 3}.max_steps == 3);
}

}  // namespace
}  // namespace squall::options_test
