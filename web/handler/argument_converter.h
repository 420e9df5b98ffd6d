#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::web {

// Converts a path group to a parameter of a handler's verb. Specialise it for your own types:
//
//     template <> struct squall::web::ArgumentConverter<Color> {
//       static std::optional<Color> convert(std::string decoded);  // nullopt: 404
//     };
template <class T>
struct ArgumentConverter;

template <class T>
requires((std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>) || std::floating_point<T>)
struct ArgumentConverter<T> {
  static std::optional<T> convert(std::string_view decoded) {
    T value{};
    const char* const end = decoded.data() + decoded.size();
    const auto [stop, error] = std::from_chars(decoded.data(), end, value);
    if (error != std::errc() || stop != end || decoded.empty()) return std::nullopt;
    return value;
  }
};

template <>
struct ArgumentConverter<std::string> {
  static std::optional<std::string> convert(std::string decoded) { return decoded; }
};

}  // namespace squall::web
