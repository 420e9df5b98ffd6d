#include <squall/websocket/codec/mask.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "support/catch.h"
#include "support/hex.h"

namespace squall::websocket::mask_test {
namespace {

constexpr MaskKey kKey{'\x37', '\xfa', '\x21', '\x3d'};

// RFC 6455, 5.3, byte by byte.
std::string obvious(std::string_view bytes, std::size_t offset) {
  std::string masked;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    masked += static_cast<char>(bytes[i] ^ kKey[(offset + i) % 4]);
  return masked;
}

TEST_CASE("masking the RFC's example gives the RFC's bytes (WSK-V2; RFC 6455, 5.7)", "[mask]") {
  std::string text = "Hello";
  mask(text, kKey);
  CHECK(testing::to_hex(text) == "7f9f4d5158");
  mask(text, kKey);
  CHECK(text == "Hello");
}

TEST_CASE("masking equals the byte-wise loop for each size, offset and alignment (SEC-64)", "[mask]") {
  std::string bytes;
  for (std::size_t i = 0; i < 300; ++i) bytes += static_cast<char>(i * 7 + i / 16);
  for (std::size_t size = 0; size <= 200; ++size) {
    for (std::size_t alignment = 0; alignment < 16; ++alignment) {
      for (std::size_t offset = 0; offset < 5; ++offset) {
        const std::string_view source(bytes.data() + alignment, size);
        const std::string expected = obvious(source, offset);
        // Memory that ends behind the bytes, so that AddressSanitizer finds a write beyond them.
        const auto space = std::make_unique<char[]>(alignment + size);
        char* const at = space.get() + alignment;
        mask_into(at, source, kKey, offset);
        if (std::string_view(at, size) != expected)
          FAIL("mask_into " << size << ' ' << alignment << ' ' << offset);
        source.copy(at, size);
        mask({at, size}, kKey, offset);
        if (std::string_view(at, size) != expected)
          FAIL("mask " << size << ' ' << alignment << ' ' << offset);
      }
    }
  }
}

TEST_CASE("a payload may be masked in pieces", "[mask]") {
  const std::string bytes(150, 'x');
  const std::string expected = obvious(bytes, 0);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    std::string whole = bytes;
    mask({whole.data(), cut}, kKey);
    mask({whole.data() + cut, whole.size() - cut}, kKey, cut);
    REQUIRE(whole == expected);
    whole = bytes;
    mask({whole.data() + cut, whole.size() - cut}, rotated(kKey, cut));
    REQUIRE(whole.substr(cut) == expected.substr(cut));
  }
}

}  // namespace
}  // namespace squall::websocket::mask_test
