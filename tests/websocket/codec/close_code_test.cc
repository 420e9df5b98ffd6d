#include <squall/websocket/codec/close_code.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/catch.h"
#include "support/hex.h"

namespace squall::websocket::close_code_test {
namespace {

using testing::from_hex;
using testing::to_hex;

// The code and the reason; the code of the fault in brackets if the payload is malformed.
std::string parsed(std::string_view payload) {
  CloseStatus status{std::uint16_t{4999}, "unchanged"};
  if (const Fault fault = parse_close(payload, status)) {
    CHECK(status.code == std::uint16_t{4999});
    CHECK(status.reason == "unchanged");
    return '[' + std::to_string(fault.code) + ']';
  }
  return (status.code ? std::to_string(*status.code) : "none") + '|' + std::string(status.reason);
}

std::string written(std::optional<std::uint16_t> code, std::string_view reason = {}) {
  return to_hex(ClosePayload({code, reason}).bytes());
}

TEST_CASE("exactly the defined close codes and those from 3000 to 4999 may be in a frame (RFC 6455, 7.4)",
          "[close_code]") {
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    const bool is_defined = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
    const bool is_free = code >= 3000 && code <= 4999;
    if (is_sendable(static_cast<std::uint16_t>(code)) != (is_defined || is_free)) FAIL(code);
  }
}

TEST_CASE("each defined close code has a name of its own", "[close_code]") {
  CHECK(close_code_name(1000) == "normal closure");
  CHECK(close_code_name(1001) == "going away");
  CHECK(close_code_name(1015) == "TLS handshake failed");
  for (const std::uint16_t code : {999, 1004, 1016, 3000, 4999}) CHECK(close_code_name(code) == "unknown");
  for (std::uint16_t code = 1000; code < 1015; ++code)
    for (std::uint16_t other = code + 1; other <= 1015; ++other)
      if (code != 1004 && other != 1004) CHECK(close_code_name(code) != close_code_name(other));
}

TEST_CASE("a close payload is empty, or a code and a reason (WSK-48)", "[close_code]") {
  CHECK(parsed("") == "none|");
  CHECK(parsed(from_hex("03e8")) == "1000|");
  CHECK(parsed(from_hex("03e8 627965")) == "1000|bye");
  CHECK(parsed(from_hex("1387") + "\xc3\xa9") == "4999|\xc3\xa9");
  CHECK(parsed(from_hex("03e8") + std::string(kMaxCloseReason, 'x')) == "1000|" + std::string(123, 'x'));
}

TEST_CASE("a close payload of one byte is a protocol error (WSK-49)", "[close_code]") {
  CHECK(parsed("\x03") == "[1002]");
  CHECK(parsed(std::string_view("\x03\xe8", 1)) == "[1002]");  // the byte behind the payload is not read
  CHECK(parsed(std::string(1, '\0')) == "[1002]");
}

TEST_CASE("a close code that must not be sent is a protocol error (RFC 6455, 7.4.2)", "[close_code]") {
  for (const char* const code :
       {"0000", "03e7", "03ec", "03ed", "03ee", "03f7", "03f8", "07d0", "0bb7", "1388", "ffff"}) {
    CAPTURE(code);
    CHECK(parsed(from_hex(code)) == "[1002]");
    CHECK(parsed(from_hex(code) + "\xff") == "[1002]");
  }
}

TEST_CASE("a close reason that is not UTF-8, or ends within a character, is 1007 (RFC 6455, 8.1)",
          "[close_code]") {
  CHECK(parsed(from_hex("03e8 ff")) == "[1007]");
  CHECK(parsed(from_hex("03e8 e282")) == "[1007]");
  CHECK(parsed(from_hex("03e8 eda080")) == "[1007]");
}

TEST_CASE("a close payload is written as the wire vector has it (WSK-V6, WSK-55)", "[close_code]") {
  CHECK(written(1000, "bye") == "03e8627965");
  CHECK(written(1009, "message too big") == to_hex(from_hex("03f1") + "message too big"));
  CHECK(written(4999) == "1387");
  CHECK(written(std::nullopt).empty());
}

TEST_CASE("a close payload that no peer may get is refused (WSK-59)", "[close_code]") {
  CHECK(written(1000, std::string(123, 'x')).size() == 2 * kMaxControlPayload);
  CHECK_THROWS_AS(written(1000, std::string(124, 'x')), std::invalid_argument);
  CHECK_THROWS_AS(written(1005), std::invalid_argument);
  CHECK_THROWS_AS(written(1000, "\xff"), std::invalid_argument);
  CHECK_THROWS_AS(written(std::nullopt, "x"), std::invalid_argument);
}

}  // namespace
}  // namespace squall::websocket::close_code_test
