#pragma once

#include <squall/ioloop/base/read_number.h>

#include <cmath>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace squall::web {

// Converts the text of an argument or of a path group to a type. Specialise it for your own types:
//
//     template <> struct squall::web::ArgumentConverter<Color> {
//       static std::optional<Color> convert(std::string decoded);
//     };
//
// std::nullopt means that the text is not such a value: an argument is then a 400, and a path group a 404.
template <class T>
struct ArgumentConverter;

// The whole text must be the number: without blanks, and without a plus sign. NaN and infinity are refused.
template <class T>
requires((std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>) || std::floating_point<T>)
struct ArgumentConverter<T> {
  static std::optional<T> convert(std::string_view decoded) {
    T value{};
    const auto [stop, error] = read_number(decoded, value);
    if (error != std::errc() || stop != decoded.data() + decoded.size() || decoded.empty())
      return std::nullopt;
    if constexpr (std::floating_point<T>) {
      if (!std::isfinite(value)) return std::nullopt;
    }
    return value;
  }
};

// `1`, `true`, `yes` and `on`, which a checkbox sends, or `0`, `false`, `no` and `off`, in any case.
template <>
struct ArgumentConverter<bool> {
  static std::optional<bool> convert(std::string_view decoded) noexcept;
};

template <>
struct ArgumentConverter<std::string> {
  static std::optional<std::string> convert(std::string decoded) { return decoded; }
};

namespace detail {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
constexpr bool kIsConverted = requires { ArgumentConverter<T>::convert(std::string()); };

}  // namespace detail
}  // namespace squall::web
