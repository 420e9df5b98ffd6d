#include <squall/websocket/codec/bounded_append.h>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

#include "support/byte_by_byte.h"
#include "support/catch.h"

namespace squall::websocket::bounded_append_test {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

TEST_CASE("pieces are joined in their order", "[bounded_append]") {
  std::string message;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece(static_cast<std::size_t>(i % 40), static_cast<char>('a' + i % 26));
    append_bounded(message, piece, kNoLimit, i % 3 == 0 ? 100 : 0);
    expected += piece;
  }
  CHECK(message == expected);
}

TEST_CASE("the capacity doubles, so that joining takes linear time, and never exceeds the limit",
          "[bounded_append]") {
  // The second limit makes the capacity one less than the limit, which std::string would then double.
  for (const std::size_t first : {0, 499'999}) {
    constexpr std::size_t kLimit = 999'999;
    std::string message(first, 'x');
    message.shrink_to_fit();
    std::size_t moves = 0;
    const char* place = message.data();
    testing::LinearTime time;
    while (message.size() < kLimit) {
      append_bounded(message, "y", kLimit);
      moves += message.data() != place;
      place = message.data();
      time.step();
      if (message.capacity() > kLimit) FAIL("capacity " << message.capacity());
    }
    CHECK(moves < 20);
  }
}

TEST_CASE("room for coming bytes is taken at once", "[bounded_append]") {
  std::string message;
  append_bounded(message, "abc", 1000, 900);
  CHECK(message.capacity() >= 903);
  const char* const place = message.data();
  append_bounded(message, std::string(900, 'x'), 1000);
  CHECK(message.data() == place);
}

TEST_CASE("a result beyond the limit takes no more than its size", "[bounded_append]") {
  std::string message(1000, 'x');
  message.shrink_to_fit();
  append_bounded(message, "y", 10);
  CHECK(message.size() == 1001);
  CHECK(message.capacity() == 1001);
}

}  // namespace
}  // namespace squall::websocket::bounded_append_test
