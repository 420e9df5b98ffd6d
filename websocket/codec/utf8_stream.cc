#include <squall/websocket/codec/utf8_stream.h>

#include <squall/ioloop/base/utf8.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace squall::websocket {
namespace {

// After a block with other characters than ASCII this many are looked at one by one. Blocks are checked at
// 20 GB/s or more, characters at 2 to 4 GB/s (GCC 12, x86-64).
constexpr int kCharactersInRow = 16;

// 16 KiB of ASCII take 2,900 instructions in such blocks, and 8,800 in blocks of 32 bytes.
constexpr std::size_t kLargeBlock = 128;

// The compiler makes vectors of the words.
template <std::size_t kSize>
inline bool is_ascii_block(const char* bytes) noexcept {
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < kSize; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes + i, sizeof word);
    all |= word;
  }
  return (all & 0x8080808080808080) == 0;
}

// Removes a block from the front of `bytes` if it is ASCII.
template <std::size_t kSize>
inline bool skip_ascii(std::string_view& bytes) noexcept {
  if (bytes.size() < kSize || !is_ascii_block<kSize>(bytes.data())) return false;
  bytes.remove_prefix(kSize);
  return true;
}

// Large blocks are looked at only behind a small one: text with many other characters has few of them.
inline void skip_ascii_blocks(std::string_view& bytes) noexcept {
  if (!skip_ascii<8>(bytes)) return;
  while (skip_ascii<kLargeBlock>(bytes)) continue;
  while (skip_ascii<8>(bytes)) continue;
}

// Removes characters from the front of `bytes`, until it is empty or begins with no character: with a wrong
// byte, or a character that is cut.
void skip_characters(std::string_view& bytes) noexcept {
  while (!bytes.empty()) {
    skip_ascii_blocks(bytes);
    for (int i = 0; i < kCharactersInRow && !bytes.empty(); ++i) {
      const std::size_t length = utf8_length(bytes);
      if (length == 0) return;
      bytes.remove_prefix(length);
    }
  }
}

}  // namespace

bool Utf8Stream::feed(std::string_view bytes) noexcept {
  if (left_ == kFailed) return false;
  while (!bytes.empty()) {
    if (left_ == 0) {
      skip_characters(bytes);
      if (bytes.empty()) return true;
    }
    if (!take(static_cast<unsigned char>(bytes.front()))) return false;
    bytes.remove_prefix(1);
  }
  return true;
}

bool Utf8Stream::take(unsigned char byte) noexcept {
  if (left_ == 0) return begin(byte);
  if (byte < low_ || byte > high_) return left_ = kFailed, false;
  --left_;
  low_ = 0x80;
  high_ = 0xbf;
  return true;
}

// The bounds of the second byte exclude overlong forms, surrogates and numbers above 10FFFF (RFC 3629, 4).
bool Utf8Stream::begin(unsigned char lead) noexcept {
  if (lead < 0x80) return true;
  low_ = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  high_ = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) {
    left_ = 1;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    left_ = 2;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    left_ = 3;
  } else {
    left_ = kFailed;
  }
  return left_ != kFailed;
}

}  // namespace squall::websocket
