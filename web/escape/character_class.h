#pragma once

namespace squall::web::detail {

// Whether the character, U+0080 or above, is a space. As in Python's regular expressions, which linkify() is
// defined by.
bool is_unicode_space(char32_t code) noexcept;
// Whether the character, U+0080 or above, can be part of a word: all but spaces, punctuation and symbols.
// Exact for the blocks of punctuation and symbols that text on the web has; all others count as letters.
bool is_unicode_word(char32_t code) noexcept;

}  // namespace squall::web::detail
