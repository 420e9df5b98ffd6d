#include <squall/options/value_type.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/read_number.h>
#include <squall/options/quote.h>
#include <squall/options/time_text.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <system_error>
#include <type_traits>

namespace squall::options::detail {
namespace {

constexpr std::size_t kMostElements = 1'000'000;

template <class T>
constexpr bool kIsInteger = std::is_integral_v<T> && !std::same_as<T, bool>;
template <class T>
using WideOf = std::conditional_t<std::is_signed_v<T>, long long, unsigned long long>;
template <class T>
constexpr bool kIsNumber = kIsInteger<T> || OneOf<T, double, TimeSpan>;

template <class T>
constexpr std::string_view element_name() {
  if constexpr (std::same_as<T, bool>) return "bool";
  if constexpr (std::same_as<T, short>) return "short";
  if constexpr (std::same_as<T, int>) return "int";
  if constexpr (std::same_as<T, long>) return "long";
  if constexpr (std::same_as<T, long long>) return "long long";
  if constexpr (std::same_as<T, unsigned short>) return "unsigned short";
  if constexpr (std::same_as<T, unsigned>) return "unsigned";
  if constexpr (std::same_as<T, unsigned long>) return "unsigned long";
  if constexpr (std::same_as<T, unsigned long long>) return "unsigned long long";
  if constexpr (std::same_as<T, double>) return "double";
  if constexpr (std::same_as<T, std::string>) return "std::string";
  if constexpr (std::same_as<T, TimeSpan>) return "squall::TimeSpan";
  if constexpr (std::same_as<T, std::chrono::local_seconds>) return "std::chrono::local_seconds";
}

template <class T>
constexpr std::string_view metavar_of() {
  if constexpr (kIsInteger<T> || std::same_as<T, double>) return "NUMBER";
  if constexpr (std::same_as<T, std::string>) return "TEXT";
  if constexpr (std::same_as<T, TimeSpan>) return "DURATION";
  if constexpr (std::same_as<T, std::chrono::local_seconds>) return "TIME";
  return "BOOL";
}

// Reads the whole of `text`. The error of read_number(), which does not read a `+`.
template <class T>
std::errc read_whole(std::string_view text, T& number) noexcept {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [stop, error] = read_number(text, number);
  return stop == text.data() + text.size() ? error : std::errc::invalid_argument;
}

// `Wide` is a 64-bit type: the smaller types share its code.
template <class Wide>
std::string read_integer(std::string_view text, Wide least, Wide most, Wide& value) {
  const std::errc error = read_whole(text, value);
  if (error == std::errc() && value >= least && value <= most) return {};
  // A negative number is an integer, although it cannot be unsigned.
  long long negative = 0;
  const bool is_integer = error != std::errc::invalid_argument || read_whole(text, negative) == std::errc();
  if (!is_integer) return quote(text) + " is not an integer";
  return fmt::format("{} is not between {} and {}", text, least, most);
}

// Returns what is wrong with the text; empty if nothing is.
template <class T>
std::string read_element(std::string_view text, T& value) {
  if constexpr (std::same_as<T, bool>) {
    value = !equals_ignoring_case(text, "false") && !equals_ignoring_case(text, "f") && text != "0";
    return {};
  } else if constexpr (std::same_as<T, std::string>) {
    value = text;
    return {};
  } else if constexpr (kIsInteger<T>) {
    using Limit = std::numeric_limits<T>;
    WideOf<T> wide{};
    std::string problem = read_integer<WideOf<T>>(trim(text), Limit::min(), Limit::max(), wide);
    value = static_cast<T>(wide);
    return problem;
  } else if constexpr (std::same_as<T, double>) {
    const std::errc error = read_whole(trim(text), value);
    if (error == std::errc::result_out_of_range) return fmt::format("{} does not fit a double", trim(text));
    return error == std::errc() ? std::string() : quote(text) + " is not a number";
  } else if constexpr (std::same_as<T, TimeSpan>) {
    const auto span = parse_duration(text);
    if (span) value = *span;
    return span ? std::string() : quote(text) + " is not a duration such as 90, 1.5s or 1h 30m";
  } else {
    const auto time = parse_datetime(trim(text));
    if (time) value = *time;
    return time ? std::string() : "Unrecognized date/time format: " + quote(text);
  }
}

template <class T>
std::string write_element(const T& value) {
  if constexpr (std::same_as<T, std::string>) {
    return value;
  } else if constexpr (std::same_as<T, TimeSpan>) {
    return format_duration(value);
  } else if constexpr (std::same_as<T, std::chrono::local_seconds>) {
    return format_datetime(value);
  } else if constexpr (std::same_as<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::same_as<T, double>) {
    return fmt::format("{}", value);
  } else {
    return std::to_string(value);
  }
}

template <class T>
std::string write_bound(long double bound) {
  if constexpr (std::same_as<T, TimeSpan>) {
    return format_duration(std::chrono::duration<long double, std::nano>(bound));
  } else {
    return write_element(static_cast<T>(bound));
  }
}

// What is wrong with a number. Not a number fails every comparison, and so every limit.
enum class Verdict { good, not_positive, negative, out_of_range };

Verdict judge(long double number, const Limits& limits) noexcept {
  if (limits.above && !(number > *limits.above)) return Verdict::not_positive;
  const bool is_enough = !limits.least || number >= *limits.least;
  if (is_enough && (!limits.most || number <= *limits.most)) return Verdict::good;
  return limits.most ? Verdict::out_of_range : Verdict::negative;
}

template <class T>
std::string check_number(const T& value, const Limits& limits) {
  switch (judge(to_number(value), limits)) {
    case Verdict::good: return {};
    case Verdict::not_positive: return write_element(value) + " is not positive";
    case Verdict::negative: return write_element(value) + " is not zero or more";
    default:
      return write_element(value) + " is not between " + write_bound<T>(*limits.least) + " and " +
             write_bound<T>(*limits.most);
  }
}

std::string check_choice(const std::string& text, const std::vector<std::string>& choices) {
  if (choices.empty() || std::ranges::find(choices, text) != choices.end()) return {};
  return fmt::format("{} is not one of: {}", quote(text), fmt::join(choices, ", "));
}

template <class T>
std::string check_element(const T& value, const Limits& limits) {
  if constexpr (kIsNumber<T>) {
    return check_number(value, limits);
  } else if constexpr (std::same_as<T, std::string>) {
    return check_choice(value, limits.choices);
  } else {
    return {};
  }
}

std::string too_many_elements() { return fmt::format("there are more than {} values", kMostElements); }

template <class T>
std::string append_element(std::string_view text, const Limits& limits, std::vector<T>& list) {
  if (list.size() == kMostElements) return too_many_elements();
  T element{};
  std::string problem = read_element(text, element);
  if (problem.empty()) problem = check_element(element, limits);
  if (problem.empty()) list.push_back(std::move(element));
  return problem;
}

// Appends the integers of `first:last`, both included (OPT-05).
template <class T>
std::string append_range(std::string_view first_text, std::string_view last_text, const Limits& limits,
                         std::vector<T>& list) {
  T first{};
  T last{};
  std::string problem = read_element(first_text, first);
  if (problem.empty()) problem = read_element(last_text, last);
  if (!problem.empty() || first > last) return problem;
  const auto count = static_cast<unsigned long long>(last) - static_cast<unsigned long long>(first);
  if (count >= kMostElements - list.size()) return too_many_elements();
  problem = check_element(first, limits);
  if (problem.empty()) problem = check_element(last, limits);
  if (!problem.empty()) return problem;
  for (T element = first;; ++element) {
    list.push_back(element);
    if (element == last) return {};
  }
}

// The functions of ValueType for a single value.
template <class T>
struct Functions {
  static constexpr bool kIsList = false;
  static std::string name() { return std::string(element_name<T>()); }
  static std::string read(std::string_view text, const Limits& limits, void* value) {
    auto& element = *static_cast<T*>(value);
    std::string problem = read_element(text, element);
    return problem.empty() ? check_element(element, limits) : problem;
  }
  static std::string check(const void* value, const Limits& limits) {
    return check_element(*static_cast<const T*>(value), limits);
  }
  static std::optional<std::string> write(const void* value) {
    return write_element(*static_cast<const T*>(value));
  }
};

template <class T>
struct Functions<std::optional<T>> {
  static constexpr bool kIsList = false;
  static std::string name() { return "std::optional<" + std::string(element_name<T>()) + ">"; }
  static std::string read(std::string_view text, const Limits& limits, void* value) {
    return Functions<T>::read(text, limits, &static_cast<std::optional<T>*>(value)->emplace());
  }
  static std::string check(const void* value, const Limits& limits) {
    const auto& optional = *static_cast<const std::optional<T>*>(value);
    return optional ? check_element(*optional, limits) : std::string();
  }
  static std::optional<std::string> write(const void* value) {
    const auto& optional = *static_cast<const std::optional<T>*>(value);
    return optional ? std::optional(write_element(*optional)) : std::nullopt;
  }
};

template <class T>
struct Functions<std::vector<T>> {
  static constexpr bool kIsList = true;
  static std::string name() { return "std::vector<" + std::string(element_name<T>()) + ">"; }
  static std::string read(std::string_view text, const Limits& limits, void* value) {
    auto& list = *static_cast<std::vector<T>*>(value);
    if constexpr (kIsInteger<T>) {
      if (const auto colon = text.find(':'); colon != text.npos)
        return append_range(text.substr(0, colon), text.substr(colon + 1), limits, list);
    }
    return append_element(text, limits, list);
  }
  static std::string check(const void* value, const Limits& limits) {
    for (const T& element : *static_cast<const std::vector<T>*>(value)) {
      std::string problem = check_element(element, limits);
      if (!problem.empty()) return problem;
    }
    return {};
  }
  static std::optional<std::string> write(const void* value) {
    std::string text;
    for (const T& element : *static_cast<const std::vector<T>*>(value)) {
      if (!text.empty()) text += ',';
      text += write_element(element);
    }
    return text;
  }
};

template <class T>
void* make() {
  return new T();
}
template <class T>
void destroy(void* value) noexcept {
  delete static_cast<T*>(value);
}
template <class T>
void assign(void* to, const void* from) {
  *static_cast<T*>(to) = *static_cast<const T*>(from);
}

}  // namespace

template <class T>
const ValueType& value_type() {
  using Element = ElementOf<T>;
  static const std::string name = Functions<T>::name();
  static const ValueType type = {
      .name = name,
      .metavar = metavar_of<Element>(),
      .is_flag = std::same_as<Element, bool>,
      .is_list = Functions<T>::kIsList,
      .read = &Functions<T>::read,
      .check = &Functions<T>::check,
      .write = &Functions<T>::write,
      .make = &make<T>,
      .destroy = &destroy<T>,
      .assign = &assign<T>,
  };
  return type;
}

template const ValueType& value_type<bool>();
template const ValueType& value_type<std::optional<bool>>();
template const ValueType& value_type<short>();
template const ValueType& value_type<std::optional<short>>();
template const ValueType& value_type<std::vector<short>>();
template const ValueType& value_type<int>();
template const ValueType& value_type<std::optional<int>>();
template const ValueType& value_type<std::vector<int>>();
template const ValueType& value_type<long>();
template const ValueType& value_type<std::optional<long>>();
template const ValueType& value_type<std::vector<long>>();
template const ValueType& value_type<long long>();
template const ValueType& value_type<std::optional<long long>>();
template const ValueType& value_type<std::vector<long long>>();
template const ValueType& value_type<unsigned short>();
template const ValueType& value_type<std::optional<unsigned short>>();
template const ValueType& value_type<std::vector<unsigned short>>();
template const ValueType& value_type<unsigned>();
template const ValueType& value_type<std::optional<unsigned>>();
template const ValueType& value_type<std::vector<unsigned>>();
template const ValueType& value_type<unsigned long>();
template const ValueType& value_type<std::optional<unsigned long>>();
template const ValueType& value_type<std::vector<unsigned long>>();
template const ValueType& value_type<unsigned long long>();
template const ValueType& value_type<std::optional<unsigned long long>>();
template const ValueType& value_type<std::vector<unsigned long long>>();
template const ValueType& value_type<double>();
template const ValueType& value_type<std::optional<double>>();
template const ValueType& value_type<std::vector<double>>();
template const ValueType& value_type<std::string>();
template const ValueType& value_type<std::optional<std::string>>();
template const ValueType& value_type<std::vector<std::string>>();
template const ValueType& value_type<TimeSpan>();
template const ValueType& value_type<std::optional<TimeSpan>>();
template const ValueType& value_type<std::vector<TimeSpan>>();
template const ValueType& value_type<std::chrono::local_seconds>();
template const ValueType& value_type<std::optional<std::chrono::local_seconds>>();
template const ValueType& value_type<std::vector<std::chrono::local_seconds>>();

}  // namespace squall::options::detail
