#include <squall/websocket/codec/utf8_stream.h>

#include <squall/ioloop/base/utf8.h>

#include <cstring>

namespace squall::websocket {
namespace {

// How many bytes at the front are ASCII. A few more may be: the last of the block with the first other byte
// are left to the caller.
std::size_t ascii_prefix(std::string_view bytes) noexcept {
  constexpr std::uint64_t kAsciiHighBits = 0x8080808080808080;
  std::size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) {
    std::uint64_t words[4];
    std::memcpy(words, bytes.data() + at, sizeof words);
    if (((words[0] | words[1] | words[2] | words[3]) & kAsciiHighBits) != 0) break;
  }
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if ((word & kAsciiHighBits) != 0) break;
  }
  return at;
}

}  // namespace

bool Utf8Stream::feed(std::string_view bytes) noexcept {
  if (left_ == kFailed) return false;
  while (left_ != 0 && !bytes.empty()) {
    if (!take(static_cast<unsigned char>(bytes.front()))) return false;
    bytes.remove_prefix(1);
  }
  while (!bytes.empty()) {
    bytes.remove_prefix(ascii_prefix(bytes));
    // Whole characters, until ASCII is likely again.
    while (bytes.size() >= 4) {
      const std::size_t length = utf8_length(bytes);
      if (length == 0) return left_ = kFailed, false;
      bytes.remove_prefix(length);
      if (length == 1 && bytes.size() >= 8 && ascii_prefix(bytes.substr(0, 8)) != 0) break;
    }
    if (bytes.size() >= 4) continue;
    for (const char c : bytes)
      if (!take(static_cast<unsigned char>(c))) return false;
    return true;
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

// The bounds of the second byte exclude overlong forms, surrogates and what is above U+10FFFF (RFC 3629, 4).
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
