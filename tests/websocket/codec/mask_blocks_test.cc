#include <squall/websocket/codec/mask_blocks.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::websocket::detail::mask_blocks_test {
namespace {

constexpr std::string_view kKey = "\x37\xfa\x21\x3d\x37\xfa\x21\x3d";

std::uint64_t key_word() {
  std::uint64_t word;
  std::memcpy(&word, kKey.data(), sizeof word);
  return word;
}

// Masks byte by byte what mask_blocks() is to mask: all but the bytes behind the last block.
std::string obvious(std::string_view bytes) {
  std::string masked(bytes);
  for (std::size_t i = 0; i < bytes.size() - bytes.size() % kMaskBlock; ++i)
    masked[i] = static_cast<char>(bytes[i] ^ kKey[i % 4]);
  return masked;
}

using Blocks = std::size_t (*)(char*, const char*, std::size_t, std::uint64_t) noexcept;

void check_all(Blocks blocks) {
  std::string bytes;
  for (std::size_t i = 0; i < 700; ++i) bytes += static_cast<char>(i * 7 + i / 16);
  for (std::size_t size = 0; size <= 600; size += size < 330 ? 1 : 9) {
    for (std::size_t alignment = 0; alignment < 64; alignment += alignment < 33 ? 1 : 5) {
      const std::string_view source(bytes.data() + alignment, size);
      const std::string expected = obvious(source);
      // Memory that ends behind the bytes, so that AddressSanitizer finds a write beyond them.
      const auto space = std::make_unique<char[]>(alignment + size + 1);
      char* const at = space.get() + alignment + 1;
      source.copy(at, size);
      const std::size_t masked = blocks(at, at, size, key_word());
      if (masked != size - size % kMaskBlock || std::string_view(at, size) != expected)
        FAIL("in place: " << size << ' ' << alignment);
      source.copy(at, size);
      std::memset(at, 0, masked);
      blocks(at, source.data(), size, key_word());
      if (std::string_view(at, size) != expected) FAIL("into other memory: " << size << ' ' << alignment);
    }
  }
}

TEST_CASE("the loop for this processor equals the byte-wise loop for each size and alignment (SEC-64)",
          "[mask_blocks]") {
  check_all(mask_blocks);
}

TEST_CASE("the loop for any processor equals the byte-wise loop for each size and alignment (SEC-64)",
          "[mask_blocks]") {
  check_all(mask_blocks_plain);
}

}  // namespace
}  // namespace squall::websocket::detail::mask_blocks_test
