#include <squall/websocket/codec/mask.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace squall::websocket {
namespace {

// The bytes of one iteration: the compiler makes vectors of them. 16 KiB take 0.3 us, and 4.6 us byte by byte
// (GCC 12, x86-64).
constexpr std::size_t kMaskBlock = 64;

// The eight bytes at `from` with the key, written to `to`.
template <class Word>
inline void mask_word(char* to, const char* from, std::uint64_t key) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof word);
  Word part;
  std::memcpy(&part, &key, sizeof part);
  word ^= part;
  std::memcpy(to, &word, sizeof word);
}

// The bytes behind the last block: fewer than kMaskBlock.
inline void mask_rest(char* to, const char* from, std::size_t size, std::uint64_t key) noexcept {
  std::size_t at = 0;
  for (; at + 8 <= size; at += 8) mask_word<std::uint64_t>(to + at, from + at, key);
  // The words so far are whole keys, so each smaller word begins with the key again, but for the last byte.
  if (size & 4) {
    mask_word<std::uint32_t>(to + at, from + at, key);
    at += 4;
  }
  char bytes[4];
  std::memcpy(bytes, &key, sizeof bytes);
  for (std::size_t i = 0; i < (size & 3); ++i) to[at + i] = static_cast<char>(from[at + i] ^ bytes[i]);
}

// Eight bytes of the key as they are in memory: the order of a word's bytes does not matter, because masking
// is the XOR of words that were copied from memory and are copied back.
using KeyBytes = std::array<char, 8>;
constexpr std::uint64_t key_word(const MaskKey& key, std::size_t offset) noexcept {
  const std::uint64_t half = std::bit_cast<std::uint32_t>(rotated(key, offset));
  return half << 32 | half;
}
static_assert(std::bit_cast<KeyBytes>(key_word({1, 2, 3, 4}, 0)) == KeyBytes{1, 2, 3, 4, 1, 2, 3, 4});
static_assert(std::bit_cast<KeyBytes>(key_word({1, 2, 3, 4}, 3)) == KeyBytes{4, 1, 2, 3, 4, 1, 2, 3});

}  // namespace

void mask(std::span<char> bytes, const MaskKey& key, std::size_t offset) noexcept {
  const std::uint64_t word = key_word(key, offset);
  char* at = bytes.data();
  std::size_t size = bytes.size();
  for (; size >= kMaskBlock; at += kMaskBlock, size -= kMaskBlock)
    for (std::size_t i = 0; i < kMaskBlock; i += 8) mask_word<std::uint64_t>(at + i, at + i, word);
  mask_rest(at, at, size, word);
}

void mask_into(char* __restrict to, std::string_view bytes, const MaskKey& key, std::size_t offset) noexcept {
  const std::uint64_t word = key_word(key, offset);
  const char* __restrict from = bytes.data();
  std::size_t size = bytes.size();
  for (; size >= kMaskBlock; to += kMaskBlock, from += kMaskBlock, size -= kMaskBlock)
    for (std::size_t i = 0; i < kMaskBlock; i += 8) mask_word<std::uint64_t>(to + i, from + i, word);
  mask_rest(to, from, size, word);
}

}  // namespace squall::websocket
