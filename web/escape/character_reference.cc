#include <squall/web/escape/character_reference.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/web/escape/code_point.h>
#include <squall/web/escape/reference_names.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace squall::web::detail {
namespace {

constexpr std::size_t kMaxName = 31;      // CounterClockwiseContourIntegral
constexpr std::size_t kMaxOlderName = 6;  // those that need no semicolon: frac12
constexpr char32_t kTooLarge = 0x110000;

// Numbers of C1 controls are meant as Windows-1252 (HTML, 13.2.5.80).
constexpr std::array<char16_t, 32> kWindows1252 = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

char32_t meant_by(char32_t number) noexcept {
  if (number >= 0x80 && number <= 0x9F) return kWindows1252[number - 0x80];
  return number != 0 && is_scalar_value(number) ? number : kReplacementCharacter;
}

std::size_t append_numeric(std::string& to, std::string_view text) {
  std::size_t at = 2;
  const bool is_hex = at < text.size() && to_lower(text[at]) == 'x';
  if (is_hex) ++at;
  const char32_t base = is_hex ? 16 : 10;
  const std::size_t begin = at;
  char32_t number = 0;
  for (; at < text.size(); ++at) {
    const int digit = hex_value(text[at]);
    if (digit < 0 || digit >= static_cast<int>(base)) break;
    number = std::min<char32_t>(number * base + static_cast<char32_t>(digit), kTooLarge);
  }
  if (at == begin) return 0;
  append_utf8(to, meant_by(number));
  return at < text.size() && text[at] == ';' ? at + 1 : at;
}

// The end of the entry of kReferenceNames that has this name, from its `=` or `*` on; empty without an entry.
std::string_view find_name(std::string_view name) noexcept {
  std::size_t low = 0;
  std::size_t high = kReferenceNames.size();
  while (low < high) {
    // The entry around the middle: its name, and its end behind the space.
    const std::size_t middle = low + (high - low) / 2;
    const std::size_t space = middle == 0 ? kReferenceNames.npos : kReferenceNames.rfind(' ', middle - 1);
    const std::size_t begin = space == kReferenceNames.npos ? 0 : space + 1;
    const std::size_t name_end = kReferenceNames.find_first_of("=*", begin);
    const std::size_t end = kReferenceNames.find(' ', name_end);
    const int order = name.compare(kReferenceNames.substr(begin, name_end - begin));
    if (order == 0) return kReferenceNames.substr(name_end, end - name_end);
    if (order < 0) {
      high = begin;
    } else {
      low = end + 1;
    }
  }
  return {};
}

void append_code_points(std::string& to, std::string_view hex) {
  char32_t code = 0;
  for (const char c : hex) {
    if (c == '+') {
      append_utf8(to, code);
      code = 0;
    } else {
      code = code * 16 + static_cast<char32_t>(hex_value(c));
    }
  }
  append_utf8(to, code);
}

std::size_t append_named(std::string& to, std::string_view text) {
  const std::string_view rest = text.substr(1, kMaxName + 1);
  std::size_t size = 0;
  while (size < rest.size() && (is_alpha(rest[size]) || is_digit(rest[size]))) ++size;
  if (size < rest.size() && rest[size] == ';') {
    if (const std::string_view entry = find_name(rest.substr(0, size)); !entry.empty()) {
      append_code_points(to, entry.substr(1));
      return size + 2;
    }
  }
  for (size = std::min(size, kMaxOlderName); size > 1; --size) {
    const std::string_view entry = find_name(rest.substr(0, size));
    if (!entry.starts_with('*')) continue;
    append_code_points(to, entry.substr(1));
    return size + 1;
  }
  return 0;
}

}  // namespace

std::size_t append_reference(std::string& to, std::string_view text) {
  return text.size() > 1 && text[1] == '#' ? append_numeric(to, text) : append_named(to, text);
}

}  // namespace squall::web::detail
