#pragma once

#include <squall/ioloop/base/ascii.h>

#include <stdlib.h>

// Declares strtod_l() and newlocale() on every system: Darwin has them in a header of its own.
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <locale>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::detail {

// Moves `at` behind the digits there. Returns whether there is a digit.
inline bool skip_digits(std::string_view text, std::size_t& at) noexcept {
  const std::size_t begin = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at > begin;
}

// The length of `nan`, `nan(...)`, `inf` or `infinity` at the beginning of `text`; 0 if it begins otherwise.
inline std::size_t length_of_non_finite(std::string_view text) noexcept {
  if (equals_ignoring_case(text.substr(0, 8), "infinity")) return 8;
  if (equals_ignoring_case(text.substr(0, 3), "inf")) return 3;
  if (!equals_ignoring_case(text.substr(0, 3), "nan")) return 0;
  if (!text.substr(3).starts_with('(')) return 3;
  std::size_t at = 4;
  while (at < text.size() && (is_alpha(text[at]) || is_digit(text[at]) || text[at] == '_')) ++at;
  return text.substr(at).starts_with(')') ? at + 1 : 3;
}

// The length of the number at the beginning of `text`; 0 if the text begins otherwise. As for
// std::from_chars(), a number has no blanks, plus sign or `0x` in front.
inline std::size_t length_of_number(std::string_view text) noexcept {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  if (const std::size_t length = length_of_non_finite(text.substr(at))) return at + length;
  bool has_digits = skip_digits(text, at);
  if (text.substr(at).starts_with('.')) {
    std::size_t behind = at + 1;
    if (skip_digits(text, behind)) has_digits = true;
    if (has_digits) at = behind;
  }
  if (!has_digits) return 0;
  if (at < text.size() && to_lower(text[at]) == 'e') {
    std::size_t behind = at + 1;
    if (behind < text.size() && (text[behind] == '+' || text[behind] == '-')) ++behind;
    if (skip_digits(text, behind)) at = behind;
  }
  return at;
}

// False for a number like 0.00e5.
inline bool has_non_zero_digit(std::string_view number) noexcept {
  const std::string_view digits = number.substr(0, number.find_first_of("eE"));
  return digits.find_first_of("123456789") != std::string_view::npos;
}

// strtod() reads the decimal point of the program's locale, so this is the locale C.
template <std::floating_point Float>
Float strtod_in_c(const char* digits) {
  static const locale_t locale = ::newlocale(LC_ALL_MASK, "C", nullptr);
  if constexpr (std::same_as<Float, float>) return ::strtof_l(digits, nullptr, locale);
  if constexpr (std::same_as<Float, double>) return ::strtod_l(digits, nullptr, locale);
  if constexpr (std::same_as<Float, long double>) return ::strtold_l(digits, nullptr, locale);
}

// As std::from_chars().
template <std::floating_point Float>
std::from_chars_result read_by_strtod(std::string_view text, Float& value) {
  const std::size_t length = length_of_number(text);
  if (length == 0) return {text.data(), std::errc::invalid_argument};
  const char* const end = text.data() + length;
  const std::string digits(text, 0, length);
  const auto number = strtod_in_c<Float>(digits.c_str());
  const bool is_finite = is_digit(digits.back()) || digits.back() == '.';
  if (is_finite && (std::isinf(number) || (number == 0 && has_non_zero_digit(digits))))
    return {end, std::errc::result_out_of_range};
  value = number;
  return {end, std::errc()};
}

}  // namespace squall::detail
