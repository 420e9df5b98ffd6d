#include <squall/http/client/setting.h>

#include <chrono>
#include <string>

#include "support/catch.h"

namespace squall::http::setting_test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a setting is open, none or a value", "[setting]") {
  Setting<std::chrono::nanoseconds> timeout;
  CHECK(timeout.is_open());
  CHECK_FALSE(timeout.value());
  timeout = 5s;
  CHECK_FALSE(timeout.is_open());
  CHECK(timeout.value() == 5s);
  timeout = std::nullopt;
  CHECK_FALSE(timeout.is_open());
  CHECK_FALSE(timeout.value());
  timeout = {};
  CHECK(timeout.is_open());
  Setting<std::string> text = "literal";
  CHECK(text.value() == "literal");
}

}  // namespace
}  // namespace squall::http::setting_test
