#pragma once

#include <squall/http/message/percent_encoding.h>
#include <squall/ioloop/base/utf8.h>
#include <squall/web/handler/argument_converter.h>
#include <squall/web/handler/http_error.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace squall::web {

// The text that each group of a route's pattern matched, not decoded; nullopt for a group that took no part.
using PathGroups = std::span<const std::optional<std::string_view>>;

namespace detail {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
constexpr bool kIsPathParameter = requires { ArgumentConverter<T>::convert(std::string()); };
template <class T>
constexpr bool kIsPathParameter<std::optional<T>> = kIsPathParameter<T>;

// The parameter's value, or nullopt if the group does not convert. Throws HTTPError 400 if it is not UTF-8
// (WEB-07).
template <class T>
std::optional<T> convert_group(const std::optional<std::string_view>& group) {
  if constexpr (IsOptional<T>::value) {
    if (!group) return std::optional<T>(std::in_place);
    auto value = convert_group<typename T::value_type>(group);
    return value ? std::optional<T>(std::in_place, std::move(*value)) : std::nullopt;
  } else {
    if (!group) return std::nullopt;
    if constexpr (std::is_arithmetic_v<T>) {
      if (group->find('%') == group->npos) return ArgumentConverter<T>::convert(*group);
    }
    std::string decoded = http::percent_decode(*group);
    if (!is_utf8(decoded)) throw HTTPError(400, "Invalid unicode in the path");
    return ArgumentConverter<T>::convert(std::move(decoded));
  }
}

}  // namespace detail
}  // namespace squall::web
