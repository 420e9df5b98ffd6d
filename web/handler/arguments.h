#pragma once

#include <squall/web/handler/argument_converter.h>
#include <squall/web/handler/http_error.h>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// The typed values of RequestInput::argument<T>() and its relatives. A missing value is std::nullopt.
namespace squall::web::detail {

template <class T>
T convert_text(std::string_view name, std::string text) {
  static_assert(kIsConverted<T>,
                "an argument is text, a number, bool, a std::optional of these, or a type with an "
                "ArgumentConverter");
  if constexpr (std::same_as<T, std::string>) {
    return text;
  } else {
    std::optional<T> value = ArgumentConverter<T>::convert(text);
    if (!value) throw InvalidArgumentError(std::string(name), text);
    return std::move(*value);
  }
}

template <class T>
T convert_argument(std::string_view name, std::optional<std::string> text) {
  if constexpr (IsOptional<T>::value) {
    using Value = typename T::value_type;
    if (!text || (text->empty() && !std::same_as<Value, std::string>)) return std::nullopt;
    return convert_text<Value>(name, std::move(*text));
  } else {
    if (!text) throw MissingArgumentError(std::string(name));
    return convert_text<T>(name, std::move(*text));
  }
}

template <class T>
T convert_argument(std::string_view name, std::optional<std::string> text, T otherwise) {
  if (!text) return otherwise;
  return convert_argument<T>(name, std::move(text));
}

template <class T>
std::vector<T> convert_arguments(std::string_view name, std::vector<std::string> texts) {
  if constexpr (std::same_as<T, std::string>) {
    return texts;
  } else {
    std::vector<T> values;
    values.reserve(texts.size());
    for (std::string& text : texts) values.push_back(convert_text<T>(name, std::move(text)));
    return values;
  }
}

}  // namespace squall::web::detail
