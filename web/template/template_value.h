#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace squall::web {

struct TemplateCall;
class TemplateValue;

namespace detail {

class TemplateBudget;
struct TemplateList;
struct TemplateMap;

template <class T>
concept TextLike = std::convertible_to<const T&, std::string_view>;
template <class T>
concept OptionalLike = requires(const T& value) {
  typename T::value_type;
  { value.has_value() } -> std::convertible_to<bool>;
  *value;
};
template <class T>
concept TupleLike = requires { std::tuple_size<T>::value; };
template <class T>
concept MapLike = std::ranges::input_range<const T> && requires {
  typename T::key_type;
  typename T::mapped_type;
} && TextLike<typename T::key_type>;
template <class T>
concept HasTemplateHook = requires(TemplateValue& out, const T& value) { to_template_value(out, value); };

}  // namespace detail

// A value of a template: null, a bool, a whole number, a double, text, a list, a map from text, or a
// function. Text is UTF-8. Lists, maps and long texts are immutable and shared: a copy of a TemplateValue is
// cheap.
//
// Numbers, text, std::optional, tuples, ranges and maps convert to it by themselves. For a type of yours,
// declare this function in the type's namespace:
//
//     void to_template_value(squall::web::TemplateValue& out, const Note& note) {
//       out = squall::web::TemplateValue::map({{"id", note.id}, {"text", note.text}});
//     }
//
// <squall/web/template/json_value.h> has the function for nlohmann::json.
//
// Thread:    const functions from any thread.
// Errors:    std::length_error for lists and maps that are nested deeper than kMostDepth.
class TemplateValue {
 public:
  enum class Kind : std::uint8_t { null, boolean, integer, number, text, list, map, function };
  using List = std::vector<TemplateValue>;
  using Entry = std::pair<std::string, TemplateValue>;
  using Function = std::function<TemplateValue(const TemplateCall&)>;

  static constexpr std::size_t kMostDepth = 200;

  TemplateValue() = default;
  TemplateValue(std::nullptr_t) {}     // NOLINT(google-explicit-constructor)
  TemplateValue(std::nullopt_t) {}     // NOLINT(google-explicit-constructor)
  TemplateValue(std::string&& text) {  // NOLINT(google-explicit-constructor)
    assign_text(std::move(text));
  }
  // Whole numbers above the range of std::int64_t become a double.
  template <class T>
  requires(!std::derived_from<T, TemplateValue>)
  TemplateValue(const T& value) {  // NOLINT(google-explicit-constructor)
    assign(value);
  }

  static TemplateValue list(List items);
  // Of two entries with one key the later wins.
  static TemplateValue map(std::vector<Entry> entries);
  static TemplateValue function(Function function);

  Kind kind() const noexcept {
    return value_.index() == kSharedText ? Kind::text : static_cast<Kind>(value_.index());
  }
  bool is_null() const noexcept { return kind() == Kind::null; }

  // Each is null for another kind.
  const bool* as_boolean() const noexcept { return std::get_if<bool>(&value_); }
  const std::int64_t* as_integer() const noexcept { return std::get_if<std::int64_t>(&value_); }
  const double* as_number() const noexcept { return std::get_if<double>(&value_); }
  const std::string* as_text() const noexcept {
    if (const auto* const text = std::get_if<std::string>(&value_)) return text;
    const auto* const shared = std::get_if<kSharedText>(&value_);
    return shared ? shared->get() : nullptr;
  }
  const List* as_list() const noexcept;
  // In the order in which they were added.
  const std::vector<Entry>* as_map() const noexcept;
  const Function* as_function() const noexcept;
  // The value of the key; null without one, and for another kind.
  const TemplateValue* find(std::string_view key) const noexcept;

  // As in Python: null, false, 0, and an empty text, list or map are false.
  bool is_true() const noexcept;
  // How deep lists and maps are nested in it: 0 for other values.
  std::size_t depth() const noexcept;

 private:
  template <class T>
  void assign(const T& value);
  template <class T>
  void assign_range(const T& value);
  void assign_text(std::string text);

  // Longer texts are shared, so that copies cost neither time nor memory.
  static constexpr std::size_t kLongestCopied = 64;
  static constexpr std::size_t kSharedText = 8;

  // In the order of Kind, and a shared text.
  std::variant<std::monostate, bool, std::int64_t, double, std::string,
               std::shared_ptr<const detail::TemplateList>, std::shared_ptr<const detail::TemplateMap>,
               std::shared_ptr<const Function>, std::shared_ptr<const std::string>>
      value_;
};

// The arguments of one call in a template.
struct TemplateCall {
  const std::vector<TemplateValue>& positional;
  const std::vector<TemplateValue::Entry>& named;
  detail::TemplateBudget& budget;  // for functions of Squall

  // Null without such an argument.
  const TemplateValue* at(std::size_t index) const noexcept {
    return index < positional.size() ? &positional[index] : nullptr;
  }
  const TemplateValue* find(std::string_view name) const noexcept {
    for (const auto& [key, value] : named)
      if (key == name) return &value;
    return nullptr;
  }
};

// Names and values for a template; the last of two values for a name counts.
class TemplateArguments {
 public:
  TemplateArguments() = default;
  TemplateArguments(std::initializer_list<TemplateValue::Entry> entries) : entries_(entries) {}

  void set(std::string name, TemplateValue value) {
    entries_.emplace_back(std::move(name), std::move(value));
  }
  // Null without one.
  const TemplateValue* find(std::string_view name) const noexcept {
    for (auto at = entries_.rbegin(); at != entries_.rend(); ++at)
      if (at->first == name) return &at->second;
    return nullptr;
  }
  const std::vector<TemplateValue::Entry>& entries() const noexcept { return entries_; }

 private:
  std::vector<TemplateValue::Entry> entries_;
};

template <class T>
void TemplateValue::assign(const T& value) {
  if constexpr (std::same_as<T, bool>) {
    value_ = value;
  } else if constexpr (detail::HasTemplateHook<T>) {
    to_template_value(*this, value);
  } else if constexpr (std::signed_integral<T>) {
    value_ = static_cast<std::int64_t>(value);
  } else if constexpr (std::unsigned_integral<T>) {
    if (std::cmp_less_equal(value, std::numeric_limits<std::int64_t>::max())) {
      value_ = static_cast<std::int64_t>(value);
    } else {
      value_ = static_cast<double>(value);
    }
  } else if constexpr (std::floating_point<T>) {
    value_ = static_cast<double>(value);
  } else if constexpr (detail::TextLike<T>) {
    assign_text(std::string(std::string_view(value)));
  } else if constexpr (detail::OptionalLike<T>) {
    if (value.has_value()) *this = TemplateValue(*value);
  } else if constexpr (std::convertible_to<T, Function>) {
    *this = function(value);
  } else {
    assign_range(value);
  }
}

template <class T>
void TemplateValue::assign_range(const T& value) {
  if constexpr (detail::MapLike<T>) {
    std::vector<Entry> entries;
    for (const auto& [key, mapped] : value)
      entries.emplace_back(std::string(std::string_view(key)), TemplateValue(mapped));
    *this = map(std::move(entries));
  } else if constexpr (std::ranges::input_range<const T>) {
    List items;
    for (const auto& item : value) items.emplace_back(item);
    *this = list(std::move(items));
  } else {
    static_assert(
        detail::TupleLike<T>,
        "a template takes numbers, text, optionals, ranges, maps from text, tuples, functions, and types "
        "with a function to_template_value(squall::web::TemplateValue&, const T&) in their namespace");
    *this = std::apply([](const auto&... items) { return list({TemplateValue(items)...}); }, value);
  }
}

}  // namespace squall::web
