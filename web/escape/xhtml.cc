#include <squall/web/escape/xhtml.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/web/escape/character_reference.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace squall::web {
namespace {

constexpr std::string_view kXhtmlSpecial = "&<>\"'";
constexpr auto kIsXhtmlSpecial =
    squall::detail::table([](char c) { return squall::detail::is_one_of(c, kXhtmlSpecial); });

// Whether one of eight bytes is special. Pairs of special characters differ in one bit, so three comparisons
// find all five.
bool has_xhtml_special(const char* bytes) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & (0x80 * kOnes); };
  const std::uint64_t ampersand = (word | kOnes) ^ ('\'' * kOnes);   // & is 0x26, ' is 0x27
  const std::uint64_t angle = (word | (2 * kOnes)) ^ ('>' * kOnes);  // < is 0x3c, > is 0x3e
  return (has_zero(ampersand) | has_zero(angle) | has_zero(word ^ ('"' * kOnes))) != 0;
}

// The first special character from `at` on; the end of the text without one.
std::size_t find_xhtml_special(std::string_view text, std::size_t at) noexcept {
  while (text.size() - at >= 8 && !has_xhtml_special(text.data() + at)) at += 8;
  while (at < text.size() && !kIsXhtmlSpecial[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

std::string_view xhtml_reference_of(char c) noexcept {
  switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    default: return "&#x27;";
  }
}

}  // namespace

void append_xhtml_escaped(std::string& to, std::string_view text) {
  for (std::size_t at = 0;;) {
    const std::size_t special = find_xhtml_special(text, at);
    to.append(text, at, special - at);
    if (special == text.size()) return;
    to.append(xhtml_reference_of(text[special]));
    at = special + 1;
  }
}

std::string xhtml_escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  append_xhtml_escaped(escaped, text);
  return escaped;
}

std::string xhtml_unescape(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    const std::size_t ampersand = std::min(text.find('&'), text.size());
    plain.append(text.substr(0, ampersand));
    text.remove_prefix(ampersand);
    if (text.empty()) break;
    const std::size_t length = detail::append_reference(plain, text);
    if (length == 0) plain += '&';
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return plain;
}

}  // namespace squall::web
