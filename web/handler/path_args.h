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
constexpr bool kIsPathParameter = kIsConverted<T>;
template <class T>
constexpr bool kIsPathParameter<std::optional<T>> = kIsPathParameter<T>;

// Refuses bytes that are not UTF-8, as RequestInput::decode_argument() does unless it is overridden.
struct DecodeUtf8 {
  std::string operator()(std::string bytes) const {
    if (!is_utf8(bytes)) throw HTTPError(400, "Invalid unicode in url");
    return bytes;
  }
};

// The parameter's value, or nullopt if the group does not convert. `decode` makes text from the group's
// bytes, after percent-decoding, and throws HTTPError 400 if it cannot (WEB-07).
template <class T, class Decode = DecodeUtf8>
std::optional<T> convert_group(const std::optional<std::string_view>& group, const Decode& decode = {}) {
  if constexpr (IsOptional<T>::value) {
    if (!group) return std::optional<T>(std::in_place);
    auto value = convert_group<typename T::value_type>(group, decode);
    return value ? std::optional<T>(std::in_place, std::move(*value)) : std::nullopt;
  } else {
    if (!group) return std::nullopt;
    if constexpr (std::is_arithmetic_v<T>) {
      if (group->find('%') == group->npos) return ArgumentConverter<T>::convert(*group);
    }
    return ArgumentConverter<T>::convert(decode(http::percent_decode(*group)));
  }
}

}  // namespace detail
}  // namespace squall::web
