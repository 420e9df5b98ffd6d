#pragma once

#include <squall/ioloop/base/utf8.h>

#include <cstddef>
#include <string>
#include <string_view>

// Unicode characters in UTF-8.
namespace squall::web::detail {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

// Whether UTF-8 can have it: no surrogate, and nothing above U+10FFFF.
constexpr bool is_scalar_value(char32_t code) noexcept {
  return code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

// `code` must be is_scalar_value().
inline void append_utf8(std::string& to, char32_t code) {
  const auto tail = [code](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to.append({static_cast<char>(0xC0 | code >> 6), tail(0)});
  } else if (code < 0x10000) {
    to.append({static_cast<char>(0xE0 | code >> 12), tail(6), tail(0)});
  } else {
    to.append({static_cast<char>(0xF0 | code >> 18), tail(12), tail(6), tail(0)});
  }
}

// A character of a text, and its length in bytes.
struct Character {
  char32_t code;
  std::size_t length;
};

// The character that `text` begins with. A byte that is not UTF-8 is a replacement character of length 1.
// `text` must not be empty.
constexpr Character first_character(std::string_view text) noexcept {
  const std::size_t length = utf8_length(text);
  const auto byte = [text](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  if (length == 0) return {kReplacementCharacter, 1};
  if (length == 1) return {byte(0), 1};
  char32_t code = byte(0) & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) code = code << 6 | (byte(i) & 0x3F);
  return {code, length};
}

}  // namespace squall::web::detail
