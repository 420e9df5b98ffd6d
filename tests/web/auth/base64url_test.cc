#include <squall/web/auth/base64url.h>

#include <string>

#include "support/catch.h"

namespace squall::web::base64url_test {
namespace {

using detail::base64url_decode;
using detail::base64url_encode;

TEST_CASE("base64 of URLs has no padding, and - and _ for + and / (RFC 7515, C)", "[base64url]") {
  CHECK(base64url_encode("\x03\xEC\xFF\xE0\xC1") == "A-z_4ME");
  CHECK(base64url_decode("A-z_4ME") == "\x03\xEC\xFF\xE0\xC1");
  for (const std::string bytes : {"", "a", "ab", "abc", "abcd"})
    CHECK(base64url_decode(base64url_encode(bytes)) == bytes);
}

TEST_CASE("other spellings of base64 are refused", "[base64url]") {
  for (const char* text : {"A+z/4ME", "YQ==", "YR", "Y", "Y Q", "YQ\n", "\xC3\xA4"}) {
    CAPTURE(text);
    CHECK(!base64url_decode(text));
  }
}

}  // namespace
}  // namespace squall::web::base64url_test
