#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

// Character classes and case of ASCII, independent of the locale (RFC 9110, RFC 3986). Bytes of 0x80 and
// above are neither letters nor digits, and have no case.
//
// Thread:    any.
namespace squall {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
constexpr void make_lower(std::string& text) noexcept {
  for (char& c : text) c = to_lower(c);
}
// The digits of base 16, for writing: kLowerHex[byte >> 4].
inline constexpr char kLowerHex[] = "0123456789abcdef";
inline constexpr char kUpperHex[] = "0123456789ABCDEF";
// Appends two digits for each byte of the range.
template <class Bytes>
void append_lower_hex(std::string& to, const Bytes& bytes) {
  for (const auto c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    to += kLowerHex[byte >> 4];
    to += kLowerHex[byte & 15];
  }
}
// -1 if `c` is not a hexadecimal digit.
constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i] && ((a[i] ^ b[i]) != 0x20 || !is_alpha(a[i]))) return false;
  return true;
}

constexpr bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) noexcept {
  return equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

// token_equals() for at least as many bytes as Word has: a word at a time, of which the last may overlap the
// one before it.
template <class Word>
[[gnu::always_inline]] inline bool token_words_equal(const char* token, const char* lower_case,
                                                     std::size_t size) noexcept {
  constexpr auto kSixthBits = static_cast<Word>(0x2020202020202020);
  const auto is_equal = [&](std::size_t at) {
    Word word;
    Word wanted;
    std::memcpy(&word, token + at, sizeof word);
    std::memcpy(&wanted, lower_case + at, sizeof wanted);
    return (word | kSixthBits) == wanted;
  };
  for (std::size_t at = 0; at + sizeof(Word) < size; at += sizeof(Word))
    if (!is_equal(at)) return false;
  return is_equal(size - sizeof(Word));
}

// equals_ignoring_case() for a token and a lower-case name of letters and hyphens. Setting the sixth bit
// turns upper-case letters into lower case, and turns no other token character into a letter.
[[gnu::always_inline]] inline bool token_equals(std::string_view token,
                                                std::string_view lower_case) noexcept {
  const std::size_t size = lower_case.size();
  if (token.size() != size) return false;
  if (size >= 8) return token_words_equal<std::uint64_t>(token.data(), lower_case.data(), size);
  if (size >= 4) return token_words_equal<std::uint32_t>(token.data(), lower_case.data(), size);
  for (std::size_t at = 0; at < size; ++at)
    if ((token[at] | 0x20) != lower_case[at]) return false;
  return true;
}

// For messages: control characters become `\x00`. Otherwise a NUL would end the message, and a line break
// would begin a line of its own.
inline std::string escape_controls(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    if (!is_control(c)) {
      result += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result.append("\\x").append(1, kLowerHex[byte >> 4]).append(1, kLowerHex[byte & 15]);
  }
  return result;
}

// Removes Python's ASCII blanks at both ends: trim() removes fewer.
constexpr std::string_view strip(std::string_view text) noexcept {
  constexpr std::string_view kBlank = " \t\n\r\f\v";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}
// Removes spaces and tabs at both ends (OWS, RFC 9110, 5.6.3).
constexpr std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

namespace detail {

constexpr bool is_one_of(char c, std::string_view set) noexcept { return set.find(c) != set.npos; }
// For sets of characters that only one file needs.
constexpr std::array<bool, 256> table(bool (*belongs)(char)) {
  std::array<bool, 256> result{};
  for (int i = 0; i < 256; ++i) result[static_cast<std::size_t>(i)] = belongs(static_cast<char>(i));
  return result;
}

// Bits of a character in kAsciiTable.
inline constexpr std::uint8_t kTokenChar = 1;  // tchar of RFC 9110, 5.6.2
inline constexpr std::uint8_t kFieldChar = 2;  // no control character but the tab: RFC 9110, 5.5
inline constexpr std::uint8_t kHostChar = 4;   // of a host and port: RFC 3986, 3.2.2, without the comma

constexpr std::array<std::uint8_t, 256> make_ascii_table() {
  std::array<std::uint8_t, 256> table{};
  const auto set = [&table](char c, std::uint8_t bits) { table[static_cast<unsigned char>(c)] |= bits; };
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    if (is_alpha(c) || is_digit(c)) set(c, kTokenChar | kHostChar);
    if (c == '\t' || !is_control(c)) set(c, kFieldChar);
  }
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) set(c, kTokenChar);
  for (const char c : std::string_view("-._~!$&'()*+;=%[]:")) set(c, kHostChar);
  return table;
}
inline constexpr auto kAsciiTable = make_ascii_table();

constexpr bool has_class(char c, std::uint8_t bits) noexcept {
  return (kAsciiTable[static_cast<unsigned char>(c)] & bits) != 0;
}
constexpr bool all_have_class(std::string_view text, std::uint8_t bits) noexcept {
  for (const char c : text)
    if (!has_class(c, bits)) return false;
  return true;
}

}  // namespace detail

constexpr bool is_token_char(char c) noexcept { return detail::has_class(c, detail::kTokenChar); }
// A method or header name (RFC 9110, 5.6.2).
constexpr bool is_token(std::string_view text) noexcept {
  return !text.empty() && detail::all_have_class(text, detail::kTokenChar);
}
// Allowed in a header's value: no control character but the tab (RFC 9110, 5.5).
inline bool is_field_text(std::string_view text) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighBits = 0x80 * kOnes;
  while (text.size() >= 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data(), 8);
    // The high bit is set for each byte that is below 0x20 or 0x7f. The test below excepts tabs.
    const std::uint64_t low = (bytes - 0x20 * kOnes) & ~bytes & kHighBits;
    const std::uint64_t del = ((bytes ^ (0x7f * kOnes)) - kOnes) & ~(bytes ^ (0x7f * kOnes)) & kHighBits;
    if ((low | del) != 0 && !detail::all_have_class(text.substr(0, 8), detail::kFieldChar)) return false;
    text.remove_prefix(8);
  }
  return detail::all_have_class(text, detail::kFieldChar);
}
// Allowed in a Host header: a name or address and a port, without the comma (HUT-33).
constexpr bool is_host_text(std::string_view text) noexcept {
  return detail::all_have_class(text, detail::kHostChar);
}

}  // namespace squall
