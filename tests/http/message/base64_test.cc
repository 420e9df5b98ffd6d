#include <squall/http/message/base64.h>

#include <cstddef>
#include <string>

#include "support/catch.h"

namespace squall::http::base64_test {
namespace {

TEST_CASE("bytes become Base64 with padding, and back (RFC 4648, 10)", "[base64]") {
  const std::string text = "foobar";
  const char* encoded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (std::size_t size = 0; size <= text.size(); ++size) {
    CHECK(base64_encode(text.substr(0, size)) == encoded[size]);
    CHECK(base64_decode(encoded[size]) == text.substr(0, size));
  }
  CHECK(base64_encode("\xFB\xFF\xBE") == "+/++");
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(base64_decode(base64_encode(all)) == all);
}

TEST_CASE("other texts are refused: each text has one meaning (RFC 4648, 3.2 to 3.5)", "[base64]") {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "====", "==", "=", "Z===", "Zm9=v", "Zg==Zg==", "Zm 9",
                          "Zm9v\n", "-_-_", "Zh==", "Zm9=", "Zm8\x80", "A=A="})
    CHECK_FALSE(base64_decode(bad));
}

}  // namespace
}  // namespace squall::http::base64_test
