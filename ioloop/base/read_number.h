#pragma once

#include <charconv>
#include <concepts>
#include <string_view>

namespace squall {
namespace detail {

// One of two files has these functions: libc++ has std::from_chars() for them only from version 20 on.
std::from_chars_result read_float(std::string_view text, float& value);
std::from_chars_result read_float(std::string_view text, double& value);
std::from_chars_result read_float(std::string_view text, long double& value);

}  // namespace detail

// Reads the number at the beginning of `text`. Returns the same as std::from_chars().
template <class Number>
std::from_chars_result read_number(std::string_view text, Number& value) {
  if constexpr (std::floating_point<Number>)
    return detail::read_float(text, value);
  else
    return std::from_chars(text.data(), text.data() + text.size(), value);
}

}  // namespace squall
