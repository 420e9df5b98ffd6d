#include <squall/web/security/constant_time.h>
#include <squall/web/security/signed_value.h>
#include <squall/web/security/xsrf_token.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"

namespace squall::web::constant_time_test {
namespace {

// The sizes of the comparisons that CRYPTO_memcmp() was called for.
std::vector<std::size_t>& compared() {
  static std::vector<std::size_t> sizes;
  return sizes;
}

}  // namespace
}  // namespace squall::web::constant_time_test

// Replaces OpenSSL's function: the linker takes the program's own.
extern "C" int CRYPTO_memcmp(const void* a, const void* b, std::size_t size) {
  squall::web::constant_time_test::compared().push_back(size);
  const auto* const left = static_cast<const volatile unsigned char*>(a);
  const auto* const right = static_cast<const volatile unsigned char*>(b);
  int difference = 0;
  for (std::size_t i = 0; i < size; ++i) difference |= left[i] ^ right[i];
  return difference;
}

namespace squall::web::constant_time_test {
namespace {

const auto kNow = std::chrono::system_clock::from_time_t(1700000000);

TEST_CASE("equal texts are equal, and others are not (SEC-43)", "[constant_time]") {
  CHECK(constant_time_equals("", ""));
  CHECK(constant_time_equals(std::string(100, 'a'), std::string(100, 'a')));
  CHECK_FALSE(constant_time_equals("abc", "abd"));
  CHECK_FALSE(constant_time_equals("abc", "bbc"));
  CHECK_FALSE(constant_time_equals("abc", "abcd"));
  CHECK_FALSE(constant_time_equals("abc", ""));
  CHECK_FALSE(constant_time_equals(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

TEST_CASE("signatures are compared whole, wherever they differ (SEC-43)", "[constant_time]") {
  for (const int version : {1, 2}) {
    SigningOptions options;
    options.version = version;
    const std::string good = create_signed_value("secret", "name", "value", kNow, options);
    const std::size_t size = version == 1 ? 40 : 64;
    for (const std::size_t place : {std::size_t{1}, size / 2, size}) {
      std::string bad = good;
      char& digit = bad[bad.size() - place];
      digit = digit == '0' ? '1' : '0';
      compared().clear();
      CHECK_FALSE(decode_signed_value("secret", "name", bad, kNow));
      CHECK(compared() == std::vector{size});
    }
    compared().clear();
    CHECK(decode_signed_value("secret", "name", good, kNow) == "value");
    CHECK(compared() == std::vector{size});
  }
}

TEST_CASE("XSRF tokens are compared whole, wherever they differ (SEC-43, WEB-104)", "[constant_time]") {
  const XsrfToken token("0123456789abcdef", kNow);
  for (const char* other : {"0123456789abcdef", "x123456789abcdef", "0123456789abcdex"}) {
    compared().clear();
    CHECK(token.matches(XsrfToken(other, kNow)) == (token.bytes() == other));
    CHECK(compared() == std::vector{std::size_t{16}});
  }
}

}  // namespace
}  // namespace squall::web::constant_time_test
