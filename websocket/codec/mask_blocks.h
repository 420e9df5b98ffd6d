#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

// The loop of mask() and mask_into() for large payloads. Meson chooses the source by the processor.
//
// Thread:    any.
namespace squall::websocket::detail {

// Smaller payloads are not worth the call.
inline constexpr std::size_t kMaskBlock = 64;

// Masks bytes at `from`, up to `size` of them, to `to`, which is `from` or does not overlap the bytes. `key`
// is the key twice, for the first byte. Returns how many bytes it masked: less than kMaskBlock are left.
std::size_t mask_blocks(char* to, const char* from, std::size_t size, std::uint64_t key) noexcept;

// The same for any processor: the compiler makes vectors of the words.
inline std::size_t mask_blocks_plain(char* to, const char* from, std::size_t size,
                                     std::uint64_t key) noexcept {
  std::size_t at = 0;
  for (; size - at >= kMaskBlock; at += kMaskBlock) {
    std::uint64_t words[kMaskBlock / 8];
    std::memcpy(words, from + at, kMaskBlock);
    for (std::uint64_t& word : words) word ^= key;
    std::memcpy(to + at, words, kMaskBlock);
  }
  return at;
}

}  // namespace squall::websocket::detail
