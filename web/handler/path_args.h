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
// And the groups' names, empty for groups without a name; or no names at all.
//
// Lifetime:  a view, of texts and of names.
class PathGroups {
 public:
  using Text = std::optional<std::string_view>;

  PathGroups() noexcept = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  PathGroups(std::span<const Text> texts, std::span<const std::string> names = {}) noexcept
      : texts_(texts), names_(names) {}

  std::size_t size() const noexcept { return texts_.size(); }
  const Text& operator[](std::size_t index) const noexcept { return texts_[index]; }
  auto begin() const noexcept { return texts_.begin(); }
  auto end() const noexcept { return texts_.end(); }
  // The groups, with the names, but with the texts in another place.
  PathGroups in(std::span<const Text> texts) const noexcept { return {texts, names_}; }
  // The index of the group with that name; nullopt without one.
  std::optional<std::size_t> index_of(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < names_.size() && i < size(); ++i)
      if (names_[i] == name) return i;
    return std::nullopt;
  }

 private:
  std::span<const Text> texts_;
  std::span<const std::string> names_;
};

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
    // The text of a number has no escapes, and needs no decoding.
    if constexpr (std::is_arithmetic_v<T>) {
      const std::optional<T> plain = ArgumentConverter<T>::convert(*group);
      if (plain || group->find('%') == group->npos) return plain;
    }
    return ArgumentConverter<T>::convert(decode(http::percent_decode(*group)));
  }
}

// The same, but throws HTTPError 404 if the group does not convert.
template <class T, class Decode>
T required_group(const std::optional<std::string_view>& group, const Decode& decode) {
  std::optional<T> value = convert_group<T>(group, decode);
  if (!value) throw HTTPError(404);
  return std::move(*value);
}

}  // namespace detail
}  // namespace squall::web
