#include <squall/ioloop/base/callback.h>

#include <array>
#include <memory>

#include "support/test_loop.h"

namespace squall::callback_test {
namespace {

using testing::Live;

TEST_CASE("a Callback calls its closure, as often as asked", "[callback]") {
  int calls = 0;
  Callback callback = [&calls] { ++calls; };
  callback();
  callback();
  CHECK(calls == 2);
}

TEST_CASE("an empty Callback is false, and so is one moved from or reset", "[callback]") {
  Callback callback;
  CHECK_FALSE(callback);
  callback = [] {};
  CHECK(callback);
  Callback other = std::move(callback);
  CHECK_FALSE(callback);  // NOLINT(bugprone-use-after-move): what this test is about
  CHECK(other);
  other.reset();
  CHECK_FALSE(other);
}

TEST_CASE("a Callback takes a closure that can only be moved", "[callback]") {
  int seen = 0;
  Callback callback = [value = std::make_unique<int>(7), &seen] { seen = *value; };
  Callback moved = std::move(callback);
  moved();
  CHECK(seen == 7);
}

TEST_CASE("a Callback destroys a small and a large closure exactly once", "[callback]") {
  REQUIRE(Live::count == 0);
  {
    Callback small = [live = Live()] {};
    Callback large = [live = Live(), filler = std::array<char, 256>()] { static_cast<void>(filler); };
    static_assert(sizeof(std::array<char, 256>) > Callback::kInline);
    Callback a = std::move(small);
    Callback b = std::move(large);
    a = std::move(b);
    CHECK(Live::count == 1);
    a();
  }
  CHECK(Live::count == 0);
  CHECK_FALSE(Live::broken);
}

}  // namespace
}  // namespace squall::callback_test
