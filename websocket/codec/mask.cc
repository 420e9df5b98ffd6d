#include <squall/websocket/codec/mask.h>

#include <squall/websocket/codec/mask_blocks.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace squall::websocket {
namespace {

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

// The bytes behind the last block.
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

inline void mask_all(char* to, const char* from, std::size_t size, std::uint64_t key) noexcept {
  std::size_t done = 0;
  if (size >= detail::kMaskBlock) done = detail::mask_blocks(to, from, size, key);
  mask_rest(to + done, from + done, size - done, key);
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

[[gnu::hot]] void mask(std::span<char> bytes, const MaskKey& key, std::size_t offset) noexcept {
  mask_all(bytes.data(), bytes.data(), bytes.size(), key_word(key, offset));
}

void mask_into(char* to, std::string_view bytes, const MaskKey& key, std::size_t offset) noexcept {
  mask_all(to, bytes.data(), bytes.size(), key_word(key, offset));
}

}  // namespace squall::websocket
