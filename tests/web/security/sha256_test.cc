#include <squall/web/security/sha256.h>

#include <array>
#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::web::sha256_test {
namespace {

std::string hex_of(std::string_view text) {
  std::string hex;
  for (const char byte : detail::sha256(text)) {
    hex += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

TEST_CASE("sha256() is the hash of FIPS 180-4", "[sha256]") {
  CHECK(hex_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace squall::web::sha256_test
