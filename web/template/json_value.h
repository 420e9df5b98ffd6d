#pragma once

#include <squall/web/template/template_value.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace squall::web {

namespace detail {

// The interface of nlohmann::json that the conversion needs, so that this header needs no other.
template <class T>
concept JsonLike = requires(const T& json) {
  { json.is_object() } -> std::convertible_to<bool>;
  { json.is_number_unsigned() } -> std::convertible_to<bool>;
  json.items();
};

// `depth`: of the lists and maps around it.
template <JsonLike T>
TemplateValue from_json(const T& json, std::size_t depth = 0) {
  if (depth > TemplateValue::kMostDepth)
    throw std::length_error("lists and maps of a template are nested too deeply");
  if (json.is_object()) {
    std::vector<TemplateValue::Entry> entries;
    for (const auto& item : json.items())
      entries.emplace_back(item.key(), from_json(item.value(), depth + 1));
    return TemplateValue::map(std::move(entries));
  }
  if (json.is_array()) {
    TemplateValue::List items;
    for (const auto& item : json) items.push_back(from_json(item, depth + 1));
    return TemplateValue::list(std::move(items));
  }
  if (json.is_string()) return json.template get<std::string>();
  if (json.is_boolean()) return json.template get<bool>();
  if (json.is_number_unsigned()) return json.template get<std::uint64_t>();
  if (json.is_number_integer()) return json.template get<std::int64_t>();
  if (json.is_number()) return json.template get<double>();
  return nullptr;
}

}  // namespace detail

// Values of nlohmann::json, and of types with its interface, convert to a TemplateValue where this header is
// included. Binary values become null. Found through TemplateValue, which is of this namespace.
template <detail::JsonLike T>
void to_template_value(TemplateValue& out, const T& value) {
  out = detail::from_json(value);
}

}  // namespace squall::web
