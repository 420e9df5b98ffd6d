#include <squall/web/escape/character_class.h>

#include <algorithm>
#include <iterator>

namespace squall::web::detail {
namespace {

struct CodeRange {
  char32_t first;
  char32_t last;
};

constexpr CodeRange kSpaces[] = {
    {0x85, 0x85},     {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
    {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000},
};

// Punctuation, symbols and spaces, in ascending order.
constexpr CodeRange kNoWord[] = {
    {0x80, 0xA9},        // controls, ¡ to ©
    {0xAB, 0xB1},        // « to ±
    {0xB4, 0xB4},        // acute accent
    {0xB6, 0xB8},        // pilcrow, middle dot, cedilla
    {0xBB, 0xBB},        // »
    {0xBF, 0xBF},        // ¿
    {0xD7, 0xD7},        // ×
    {0xF7, 0xF7},        // ÷
    {0x55A, 0x55F},      // Armenian
    {0x5BE, 0x5BE},      // Hebrew
    {0x5F3, 0x61F},      // Hebrew, Arabic
    {0x66A, 0x66D},      // Arabic
    {0x6D4, 0x6D4},      // Arabic full stop
    {0x964, 0x965},      // danda
    {0xE3F, 0xE3F},      // baht
    {0x104A, 0x104F},    // Myanmar
    {0x1360, 0x1368},    // Ethiopic
    {0x1680, 0x1680},    // Ogham space
    {0x1800, 0x180E},    // Mongolian
    {0x2000, 0x206F},    // general punctuation
    {0x207A, 0x207E},    // superscript operators
    {0x208A, 0x208E},    // subscript operators
    {0x20A0, 0x2101},    // currencies
    {0x2190, 0x244A},    // arrows, mathematics, technical
    {0x249C, 0x24E9},    // letters in parentheses and circles
    {0x2500, 0x2775},    // boxes, shapes, symbols, dingbats
    {0x2794, 0x2BFF},    // dingbats, arrows, mathematics
    {0x2E00, 0x2E2E},    // supplemental punctuation
    {0x2E30, 0x3004},    // supplemental punctuation, radicals, CJK punctuation
    {0x3008, 0x3020},    // CJK brackets
    {0x3030, 0x3030},    // wavy dash
    {0x303D, 0x303F},    // CJK symbols
    {0x30A0, 0x30A0},    // Katakana hyphen
    {0x30FB, 0x30FB},    // Katakana middle dot
    {0xFDFC, 0xFE6B},    // currency, vertical and small forms
    {0xFEFF, 0xFF0F},    // byte order mark, full-width punctuation
    {0xFF1A, 0xFF20},    // full-width punctuation
    {0xFF3B, 0xFF40},    // full-width punctuation
    {0xFF5B, 0xFF65},    // full-width and half-width punctuation
    {0xFFE0, 0xFFFD},    // full-width symbols, replacement character
    {0x1F000, 0x1F0FF},  // playing cards, tiles
    {0x1F10D, 0x1FBCA},  // emoji and other pictures
};

template <std::size_t N>
bool is_in(const CodeRange (&ranges)[N], char32_t code) noexcept {
  const auto* const found = std::ranges::lower_bound(ranges, code, {}, &CodeRange::last);
  return found != std::end(ranges) && found->first <= code;
}

}  // namespace

bool is_unicode_space(char32_t code) noexcept { return is_in(kSpaces, code); }

bool is_unicode_word(char32_t code) noexcept { return !is_in(kNoWord, code); }

}  // namespace squall::web::detail
