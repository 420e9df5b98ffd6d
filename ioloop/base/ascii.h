#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

// Character classes of RFC 9110 and RFC 3986, which know only ASCII.
namespace squall {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
// -1 if `c` is no hexadecimal digit.
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

// The same for a token and a lower-case name of letters and hyphens, eight bytes at a time: of the characters
// of a token only letters become letters by their sixth bit.
inline bool token_equals(std::string_view token, std::string_view lower_case) noexcept {
  if (token.size() != lower_case.size()) return false;
  const auto word = [](const char* at, std::size_t size) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, size);
    return bytes;
  };
  constexpr std::uint64_t kSixthBits = 0x2020202020202020;
  std::size_t at = 0;
  for (; at + 8 <= token.size(); at += 8)
    if ((word(token.data() + at, 8) | kSixthBits) != word(lower_case.data() + at, 8)) return false;
  for (; at < token.size(); ++at)
    if ((token[at] | 0x20) != lower_case[at]) return false;
  return true;
}

// Without spaces and tabs at either end (OWS, RFC 9110, 5.6.3).
constexpr std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

namespace detail {

constexpr std::array<bool, 256> table(bool (*belongs)(char)) {
  std::array<bool, 256> result{};
  for (int i = 0; i < 256; ++i) result[static_cast<std::size_t>(i)] = belongs(static_cast<char>(i));
  return result;
}
constexpr bool is_one_of(char c, std::string_view set) { return set.find(c) != set.npos; }

inline constexpr auto kTokenTable = table(
    [](char c) { return is_alpha(c) || is_digit(c) || (c != '\0' && is_one_of(c, "!#$%&'*+-.^_`|~")); });
inline constexpr auto kFieldTable =
    table([](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); });
inline constexpr auto kHostTable = table(
    [](char c) { return is_alpha(c) || is_digit(c) || (c != '\0' && is_one_of(c, "-._~!$&'()*+;=%[]:")); });

constexpr bool all_in(std::string_view text, const std::array<bool, 256>& belongs) noexcept {
  for (const char c : text)
    if (!belongs[static_cast<unsigned char>(c)]) return false;
  return true;
}

}  // namespace detail

constexpr bool is_token_char(char c) noexcept { return detail::kTokenTable[static_cast<unsigned char>(c)]; }
// A method or header name (RFC 9110, 5.6.2).
constexpr bool is_token(std::string_view text) noexcept {
  return !text.empty() && detail::all_in(text, detail::kTokenTable);
}
// May stand in a header's value: no control character but the tab (RFC 9110, 5.5).
inline bool is_field_text(std::string_view text) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighBits = 0x80 * kOnes;
  while (text.size() >= 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data(), 8);
    // High bits where a byte is below 0x20 or is 0x7f; a tab is looked at closely below.
    const std::uint64_t low = (bytes - 0x20 * kOnes) & ~bytes & kHighBits;
    const std::uint64_t del = ((bytes ^ (0x7f * kOnes)) - kOnes) & ~(bytes ^ (0x7f * kOnes)) & kHighBits;
    if ((low | del) != 0 && !detail::all_in(text.substr(0, 8), detail::kFieldTable)) return false;
    text.remove_prefix(8);
  }
  return detail::all_in(text, detail::kFieldTable);
}
// May stand in a Host header: a name or address and a port, without the comma (HUT-33).
constexpr bool is_host_text(std::string_view text) noexcept {
  return detail::all_in(text, detail::kHostTable);
}

}  // namespace squall
