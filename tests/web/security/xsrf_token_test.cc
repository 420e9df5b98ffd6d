#include <squall/web/security/xsrf_token.h>

#include <chrono>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::web::xsrf_token_test {
namespace {

const auto kNow = std::chrono::system_clock::from_time_t(1700000000);
const std::string kBytes("\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 16);
const std::string kV10 = "2|01020304|0103010705070503090b090f0d0f0d0b|1700000000";
const std::string kV11 = "000102030405060708090a0b0c0d0e0f";

// Whether a request with that token is accepted for that cookie; nullopt if the token is malformed.
std::optional<bool> accepts(std::string_view cookie, std::string_view token) {
  const auto sent = XsrfToken::decode(token, kNow);
  if (!sent) return std::nullopt;
  return XsrfToken::decode(cookie, kNow).value().matches(*sent);
}

TEST_CASE("a token is written in both versions (WEB-110, WEB-111, WEB-V10, WEB-V11)", "[xsrf_token]") {
  const XsrfToken token(kBytes, kNow);
  CHECK(token.encode_masked({1, 2, 3, 4}) == kV10);
  CHECK(token.encode(1) == kV11);
  CHECK(token.encode_masked({0, 0, 0, 0}) == "2|00000000|" + kV11 + "|1700000000");
  for (const int version : {0, 3}) CHECK_THROWS_AS(token.encode(version), std::invalid_argument);
}

TEST_CASE("a token is read in both versions (WEB-110, WEB-111)", "[xsrf_token]") {
  const auto masked = XsrfToken::decode(kV10, kNow + std::chrono::hours(1));
  REQUIRE(masked);
  CHECK(masked->bytes() == kBytes);
  CHECK(masked->issued() == kNow);
  const auto plain = XsrfToken::decode(kV11, kNow);
  REQUIRE(plain);
  CHECK(plain->bytes() == kBytes);
  CHECK(plain->issued() == kNow);
  // Text that is not hexadecimal is the token itself, of any length.
  for (const char* text : {"justplain", "abc", "00 1", "02|a", "|", "2", "-2|a", "\xFF"})
    CHECK(XsrfToken::decode(text, kNow).value().bytes() == text);
  CHECK(XsrfToken::decode("C3a9", kNow).value().bytes() == "\xC3\xA9");
}

TEST_CASE("a request's token must be that of the cookie, in any version and mask (WEB-104)", "[xsrf_token]") {
  CHECK(accepts(kV10, "2|00000000|000102030405060708090a0b0c0d0e0f|1800000000") == true);
  CHECK(accepts(kV10, kV11) == true);
  CHECK(accepts(kV11, kV10) == true);
  CHECK(accepts("justplain", "justplain") == true);
  CHECK(accepts(kV10, "2|00000000|ff0102030405060708090a0b0c0d0e0f|1") == false);
  CHECK(accepts(kV10, kV11.substr(2)) == false);
  CHECK(accepts(kV10, "2|zz") == std::nullopt);
  CHECK(accepts(kV10, "3|aa") == std::nullopt);
}

TEST_CASE("a cookie of version 1 that is any text keeps its token in version 2 (WEB-111)", "[xsrf_token]") {
  const auto token = XsrfToken::decode("justplain", kNow);
  REQUIRE(token);
  CHECK(accepts("justplain", token->encode()) == true);
  CHECK(accepts("justplain", token->encode(1)) == true);
}

TEST_CASE("malformed tokens and other versions are refused without an exception (WEB-112, SEC-47)",
          "[xsrf_token]") {
  for (const char* text : {"",
                           "2|",
                           "2||||",
                           "2|zz",
                           "3|aa",
                           "1|aa",
                           "1000|aa",
                           "18446744073709551618|aa",
                           "2|01020304|00|1|",
                           "2|01020304|00|1|2",
                           "2|010203|00|1",
                           "2|0102030405|00|1",
                           "2|0102030g|00|1",
                           "2|01020304|0|1",
                           "2|01020304|0g|1",
                           "2|01020304||1",
                           "2|01020304|00|",
                           "2|01020304|00|x",
                           "2|01020304|00|-1",
                           "2|01020304|00|99999999999999999999",
                           "2|01020304|00|18446744073709551615",
                           "2|01020304|00",
                           "2| 1020304|00|1"}) {
    INFO(text);
    CHECK_FALSE(XsrfToken::decode(text, kNow));
  }
}

TEST_CASE("each response has another text of the same token (SEC-46)", "[xsrf_token]") {
  const XsrfToken token(kBytes, kNow);
  std::set<std::string> texts;
  for (int i = 0; i < 50; ++i) {
    const std::string text = token.encode();
    CHECK(accepts(kV10, text) == true);
    texts.insert(text);
  }
  CHECK(texts.size() == 50);
}

TEST_CASE("a new token has 16 bytes of the system's generator (WEB-110, SEC-84)", "[xsrf_token]") {
  std::set<std::string> tokens;
  std::set<char> bytes;
  for (int i = 0; i < 100; ++i) {
    const XsrfToken token = XsrfToken::random(kNow + std::chrono::milliseconds(999));
    CHECK(token.bytes().size() == 16);
    CHECK(token.issued() == kNow);
    CHECK(XsrfToken::decode(token.encode(), kNow).value().matches(token));
    tokens.insert(token.bytes());
    bytes.insert(token.bytes().begin(), token.bytes().end());
  }
  CHECK(tokens.size() == 100);
  CHECK(bytes.size() > 200);
}

}  // namespace
}  // namespace squall::web::xsrf_token_test
