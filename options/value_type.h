#pragma once

#include <squall/ioloop/base/time_span.h>

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::options {

namespace detail {

template <class T, class... Types>
concept OneOf = (std::same_as<T, Types> || ...);

template <class T>
struct ShapeOf {
  using Element = T;
};
template <class T>
struct ShapeOf<std::optional<T>> {
  using Element = T;
};
template <class T>
struct ShapeOf<std::vector<T>> {
  using Element = T;
};

}  // namespace detail

// The types of a single value.
//
//     bool                          false for `false`, `f` and `0` in upper or lower case, true for any other
//                                   text, also for an empty one and for `no` (OPT-06)
//     integers                      decimal
//     double                        `2.5`, `1e-3`
//     std::string                   any text
//     TimeSpan                      `1h 30m`, `2.5`: see parse_duration() (OPT-08)
//     std::chrono::local_seconds    `2013-04-28 05:16`: see parse_datetime() (OPT-07)
template <class T>
concept OptionElement =
    detail::OneOf<T, bool, short, int, long, long long, unsigned short, unsigned, unsigned long,
                  unsigned long long, double, std::string, TimeSpan, std::chrono::local_seconds>;

// T of an option of type T, std::optional<T> and std::vector<T>.
template <class T>
using ElementOf = typename detail::ShapeOf<T>::Element;

// The types of options: a single value, a std::optional of one, which is empty until it is set, and a
// std::vector, whose text has a comma between values (OPT-05). A part `2:5` of a list of integers has the
// integers from 2 to 5, none if the second is less than the first. A list has at most 1'000'000 values.
template <class T>
concept OptionValue = OptionElement<ElementOf<T>> && !std::same_as<T, std::vector<bool>>;

namespace detail {

// What the elements of a value must be. The bounds of a duration are nanoseconds.
struct Limits {
  std::optional<long double> least{};
  std::optional<long double> most{};
  std::optional<long double> above{};  // the element is greater
  std::vector<std::string> choices{};  // empty: any
};

// The functions of an option's type, without the type.
struct ValueType {
  std::string_view name;     // `int`, `std::vector<int>`
  std::string_view metavar;  // in the help: `NUMBER`
  bool is_flag;              // a bool, whose value may be left out
  bool is_list;
  // Stores the value of `text`, or appends it to a list. Returns what is wrong with the text; empty if
  // nothing is. The value is then undefined.
  std::string (*read)(std::string_view text, const Limits& limits, void* value);
  // What is wrong with a value; empty if nothing is.
  std::string (*check)(const void* value, const Limits& limits);
  // The text of a value, which read() reads; nullopt for an optional without a value.
  std::optional<std::string> (*write)(const void* value);
  void* (*make)();
  void (*destroy)(void* value) noexcept;
  void (*assign)(void* to, const void* from);
};

// Defined for the types of OptionValue.
template <class T>
const ValueType& value_type();

template <class T>
long double to_number(const T& value) {
  if constexpr (std::same_as<T, TimeSpan>) {
    return static_cast<long double>(value.count());
  } else {
    return static_cast<long double>(value);
  }
}

}  // namespace detail

}  // namespace squall::options
