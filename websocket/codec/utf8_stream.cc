#include <squall/websocket/codec/utf8_stream.h>

#include <squall/ioloop/base/utf8.h>

#include <cstring>

namespace squall::websocket {
namespace {

// After a block with other characters than ASCII this many are looked at one by one. Blocks are checked at
// 20 GB/s or more, characters at 2 to 4 GB/s (GCC 12, x86-64).
constexpr int kCharactersInRow = 16;

bool is_ascii_block(const char* bytes) noexcept {
  std::uint64_t words[4];
  std::memcpy(words, bytes, sizeof words);
  return ((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080) == 0;
}

// Removes characters from the front of `bytes`, until it is empty or begins with no character: with a wrong
// byte, or a character that is cut.
void skip_characters(std::string_view& bytes) noexcept {
  while (!bytes.empty()) {
    std::size_t ascii = 0;
    while (bytes.size() - ascii >= 32 && is_ascii_block(bytes.data() + ascii)) ascii += 32;
    bytes.remove_prefix(ascii);
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
