#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>
#include <system_error>

namespace squall {

// The number in decimal digits that is the whole of `text`; nullopt if the text is empty, has any other
// character, or the number does not fit.
template <std::unsigned_integral Number>
std::optional<Number> parse_decimal(std::string_view text) noexcept {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// The same, but nullopt for leading zeros too: each number has one spelling.
template <std::unsigned_integral Number>
std::optional<Number> parse_canonical_decimal(std::string_view text) noexcept {
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  return parse_decimal<Number>(text);
}

}  // namespace squall
