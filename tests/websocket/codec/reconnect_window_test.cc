#include <squall/websocket/codec/reconnect_window.h>

#include <chrono>
#include <optional>
#include <string_view>

#include "support/catch.h"

namespace squall::websocket::reconnect_window_test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a reconnect window is written, and read again", "[close]") {
  CHECK(reconnect_reason(10s) == "reconnect-within-ms=10000");
  CHECK(parse_reconnect_reason(reconnect_reason(0ms)) == 0ms);
  CHECK(parse_reconnect_reason(reconnect_reason(24h)) == 24h);
}

TEST_CASE("a reason that is no reconnect window is refused", "[close]") {
  for (const std::string_view reason :
       {"", "bye", "reconnect-within-ms=", "reconnect-within-ms=-1", "reconnect-within-ms=+1",
        "reconnect-within-ms=1 ", "reconnect-within-ms= 1", "reconnect-within-ms=1s",
        "reconnect-within-ms=86400001", "reconnect-within-ms=99999999999999999999", "Reconnect-within-ms=1"})
    CHECK(parse_reconnect_reason(reason) == std::nullopt);
}

}  // namespace
}  // namespace squall::websocket::reconnect_window_test
