#include <squall/web/template/operations.h>

#include <squall/web/escape/code_point.h>
#include <squall/web/template/text_format.h>
#include <squall/web/template/value_text.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace squall::web::detail {
namespace {

std::string_view operator_text(Operator op) noexcept {
  switch (op) {
    case Operator::add: return "+";
    case Operator::subtract: return "-";
    case Operator::multiply: return "*";
    case Operator::divide: return "/";
    case Operator::floor_divide: return "//";
    case Operator::modulo: return "%";
    case Operator::power: return "**";
    case Operator::negate: return "-";
    case Operator::plus: return "+";
    default: return "<";
  }
}

[[noreturn]] void fail_operands(Operator op, const TemplateValue& left, const TemplateValue& right) {
  throw TemplateFailure(
      TemplateFault::type,
      fmt::format("'{}' takes no {} and {}", operator_text(op),
                  kind_name(left).substr(kind_name(left).starts_with("a ") ? 2 : 0), kind_name(right)));
}

[[noreturn]] void fail_overflow() {
  throw TemplateFailure(TemplateFault::overflow, "the result is beyond 64 bits");
}

[[noreturn]] void fail_zero() { throw TemplateFailure(TemplateFault::zero_division, "division by zero"); }

std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) fail_overflow();
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) fail_overflow();
  }
  return result;
}

// Rounded down, as in Python.
std::int64_t floor_divided(std::int64_t left, std::int64_t right) {
  if (right == 0) fail_zero();
  if (right == -1) {
    if (__builtin_sub_overflow(std::int64_t{0}, left, &left)) fail_overflow();
    return left;
  }
  const std::int64_t quotient = left / right;
  return left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient;
}

std::int64_t floor_modulo(std::int64_t left, std::int64_t right) {
  if (right == 0) fail_zero();
  if (right == -1) return 0;
  const std::int64_t rest = left % right;
  return rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest;
}

TemplateValue calculate_integers(Operator op, std::int64_t left, std::int64_t right) {
  std::int64_t result = 0;
  switch (op) {
    case Operator::add:
      if (__builtin_add_overflow(left, right, &result)) fail_overflow();
      return result;
    case Operator::subtract:
      if (__builtin_sub_overflow(left, right, &result)) fail_overflow();
      return result;
    case Operator::multiply:
      if (__builtin_mul_overflow(left, right, &result)) fail_overflow();
      return result;
    case Operator::divide:
      if (right == 0) fail_zero();
      return static_cast<double>(left) / static_cast<double>(right);
    case Operator::floor_divide: return floor_divided(left, right);
    case Operator::modulo: return floor_modulo(left, right);
    default:
      if (right < 0) {
        if (left == 0) fail_zero();
        return std::pow(static_cast<double>(left), static_cast<double>(right));
      }
      return integer_power(left, right);
  }
}

TemplateValue calculate_numbers(Operator op, double left, double right) {
  switch (op) {
    case Operator::add: return left + right;
    case Operator::subtract: return left - right;
    case Operator::multiply: return left * right;
    case Operator::power: return std::pow(left, right);
    default: break;
  }
  if (right == 0) fail_zero();
  if (op == Operator::divide) return left / right;
  if (op == Operator::floor_divide) return std::floor(left / right);
  const double rest = std::fmod(left, right);
  return rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest;
}

// A text or a list, several times.
TemplateValue repeated(const TemplateValue& value, std::int64_t times, TemplateBudget& budget) {
  const std::uint64_t count = times > 0 ? static_cast<std::uint64_t>(times) : 0;
  const std::size_t size = value.as_text() ? value.as_text()->size() : value.as_list()->size();
  std::uint64_t total = 0;
  const std::uint64_t most = value.as_text() ? kMostRepeated : kMostRepeated / 64;
  if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(size), &total) || total > most)
    throw TemplateFailure(TemplateFault::overflow, "the repeated value is too large");
  if (const std::string* const text = value.as_text()) {
    budget.spend_text(total);
    std::string result;
    result.reserve(total);
    for (std::uint64_t i = 0; i < (size > 0 ? count : 0); ++i) result += *text;
    return result;
  }
  budget.spend(total);
  TemplateValue::List items;
  items.reserve(total);
  for (std::uint64_t i = 0; i < (size > 0 ? count : 0); ++i)
    items.insert(items.end(), value.as_list()->begin(), value.as_list()->end());
  return TemplateValue::list(std::move(items));
}

TemplateValue joined(const TemplateValue& left, const TemplateValue& right, TemplateBudget& budget) {
  if (left.as_text() && right.as_text()) {
    budget.spend_text(left.as_text()->size() + right.as_text()->size());
    return *left.as_text() + *right.as_text();
  }
  if (!left.as_list() || !right.as_list()) fail_operands(Operator::add, left, right);
  budget.spend(left.as_list()->size() + right.as_list()->size());
  TemplateValue::List items = *left.as_list();
  items.insert(items.end(), right.as_list()->begin(), right.as_list()->end());
  return TemplateValue::list(std::move(items));
}

// The index of an item as an offset from the front; nullopt beyond the ends.
std::optional<std::size_t> offset_of(const TemplateValue& index, std::size_t size, std::string_view what) {
  const auto number = integer_of(index);
  if (!number)
    throw TemplateFailure(TemplateFault::type,
                          fmt::format("the index of {} is {}, not a whole number", what, kind_name(index)));
  const std::int64_t count = static_cast<std::int64_t>(size);
  const std::int64_t at = *number < 0 ? *number + count : *number;
  if (at < 0 || at >= count) return std::nullopt;
  return static_cast<std::size_t>(at);
}

// The characters of a text, each as a text.
TemplateValue::List characters_of(std::string_view text, TemplateBudget& budget) {
  budget.spend(text.size());
  TemplateValue::List characters;
  while (!text.empty()) {
    const std::size_t length = first_character(text).length;
    characters.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return characters;
}

bool contains(const TemplateValue& container, const TemplateValue& item, TemplateBudget& budget) {
  if (container.as_text() && item.as_text()) {
    budget.spend_text(container.as_text()->size() + item.as_text()->size());
    return find_text(*container.as_text(), *item.as_text()) != std::string::npos;
  }
  if (container.as_map()) {
    if (item.as_text()) budget.spend_text(item.as_text()->size());
    return item.as_text() && container.find(*item.as_text());
  }
  if (!container.as_list())
    throw TemplateFailure(TemplateFault::type,
                          fmt::format("'in' takes no {} in {}", kind_name(item), kind_name(container)));
  for (const TemplateValue& candidate : *container.as_list())
    if (is_equal(candidate, item, budget)) return true;
  return false;
}

// A part of a slice, as Python clamps it.
std::int64_t clamped(const TemplateValue& part, std::int64_t size, std::int64_t otherwise,
                     std::int64_t lowest, std::int64_t highest) {
  if (part.is_null()) return otherwise;
  const auto number = integer_of(part);
  if (!number) throw TemplateFailure(TemplateFault::type, "the parts of a slice are whole numbers");
  std::int64_t at = *number;
  if (at < 0) at = at < -size ? lowest : at + size;
  return std::clamp(at, lowest, highest);
}

}  // namespace

TemplateValue calculate(Operator op, const TemplateValue& left, const TemplateValue& right, bool is_tuple,
                        TemplateBudget& budget) {
  const auto a = integer_of(left);
  const auto b = integer_of(right);
  if (a && b) return calculate_integers(op, *a, *b);
  const auto x = number_of(left);
  const auto y = number_of(right);
  if (x && y) return calculate_numbers(op, *x, *y);
  if (op == Operator::add) return joined(left, right, budget);
  if (op == Operator::multiply) {
    if ((left.as_text() || left.as_list()) && b) return repeated(left, *b, budget);
    if ((right.as_text() || right.as_list()) && a) return repeated(right, *a, budget);
  }
  if (op == Operator::modulo && left.as_text()) return format_text(*left.as_text(), right, is_tuple, budget);
  fail_operands(op, left, right);
}

TemplateValue negate(const TemplateValue& value) {
  if (const auto whole = integer_of(value)) return calculate_integers(Operator::subtract, 0, *whole);
  if (const double* const number = value.as_number()) return -*number;
  throw TemplateFailure(TemplateFault::type, fmt::format("'-' takes no {}", kind_name(value)));
}

TemplateValue identity(const TemplateValue& value) {
  if (const auto whole = integer_of(value)) return *whole;
  if (value.as_number()) return value;
  throw TemplateFailure(TemplateFault::type, fmt::format("'+' takes no {}", kind_name(value)));
}

bool is_equal(const TemplateValue& left, const TemplateValue& right, TemplateBudget& budget) {
  budget.spend();
  if (const auto a = integer_of(left)) {
    if (const auto b = integer_of(right)) return *a == *b;
  }
  const auto x = number_of(left);
  const auto y = number_of(right);
  if (x && y) return *x == *y;
  if (left.kind() != right.kind()) return false;
  if (left.as_text()) {
    budget.spend_text(left.as_text()->size());
    return *left.as_text() == *right.as_text();
  }
  if (const auto* const items = left.as_list()) {
    const auto& others = *right.as_list();
    return items == &others ||
           std::equal(items->begin(), items->end(), others.begin(), others.end(),
                      [&](const auto& a, const auto& b) { return is_equal(a, b, budget); });
  }
  if (const auto* const entries = left.as_map()) {
    if (entries == right.as_map()) return true;
    return entries->size() == right.as_map()->size() &&
           std::all_of(entries->begin(), entries->end(), [&](const auto& entry) {
             budget.spend_text(entry.first.size());
             const TemplateValue* const other = right.find(entry.first);
             return other && is_equal(entry.second, *other, budget);
           });
  }
  return left.is_null() || left.as_function() == right.as_function();
}

bool is_less(const TemplateValue& left, const TemplateValue& right, TemplateBudget& budget) {
  budget.spend();
  if (const auto a = integer_of(left)) {
    if (const auto b = integer_of(right)) return *a < *b;
  }
  const auto x = number_of(left);
  const auto y = number_of(right);
  if (x && y) return *x < *y;
  if (left.as_text() && right.as_text()) {
    budget.spend_text(std::min(left.as_text()->size(), right.as_text()->size()));
    return *left.as_text() < *right.as_text();
  }
  if (!left.as_list() || !right.as_list()) fail_operands(Operator::less, left, right);
  const auto& a = *left.as_list();
  const auto& b = *right.as_list();
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (!is_equal(a[i], b[i], budget)) return is_less(a[i], b[i], budget);
  return a.size() < b.size();
}

bool compare(Operator op, const TemplateValue& left, const TemplateValue& right, TemplateBudget& budget) {
  switch (op) {
    case Operator::equal: return is_equal(left, right, budget);
    case Operator::not_equal: return !is_equal(left, right, budget);
    case Operator::less: return is_less(left, right, budget);
    case Operator::greater: return is_less(right, left, budget);
    case Operator::less_equal: return is_less(left, right, budget) || is_equal(left, right, budget);
    case Operator::greater_equal: return is_less(right, left, budget) || is_equal(left, right, budget);
    case Operator::in: return contains(right, left, budget);
    case Operator::not_in: return !contains(right, left, budget);
    case Operator::is: return left.kind() == right.kind() && is_equal(left, right, budget);
    default: return left.kind() != right.kind() || !is_equal(left, right, budget);
  }
}

const TemplateValue* item_of(const TemplateValue& container, const TemplateValue& index) {
  if (container.as_text()) return nullptr;
  if (const auto* const items = container.as_list()) {
    const auto at = offset_of(index, items->size(), "a list");
    if (!at) throw TemplateFailure(TemplateFault::index, "the index is beyond the ends of the list");
    return &(*items)[*at];
  }
  if (!container.as_map())
    throw TemplateFailure(TemplateFault::type, fmt::format("{} has no items", kind_name(container)));
  if (!index.as_text())
    throw TemplateFailure(TemplateFault::key,
                          fmt::format("the keys of a map are texts, not {}", kind_name(index)));
  const TemplateValue* const item = container.find(*index.as_text());
  if (!item) throw TemplateFailure(TemplateFault::key, fmt::format("the map has no '{}'", *index.as_text()));
  return item;
}

TemplateValue character_at(const TemplateValue& text, const TemplateValue& index, TemplateBudget& budget) {
  std::string_view rest = *text.as_text();
  budget.spend_text(rest.size());
  const auto at = offset_of(index, count_characters(rest), "a text");
  if (!at) throw TemplateFailure(TemplateFault::index, "the index is beyond the ends of the text");
  for (std::size_t i = 0; i < *at; ++i) rest.remove_prefix(first_character(rest).length);
  return rest.substr(0, first_character(rest).length);
}

TemplateValue slice(const TemplateValue& value, const TemplateValue& begin, const TemplateValue& end,
                    const TemplateValue& step, TemplateBudget& budget) {
  if (!value.as_list() && !value.as_text())
    throw TemplateFailure(TemplateFault::type, fmt::format("{} has no slices", kind_name(value)));
  const TemplateValue::List characters =
      value.as_text() ? characters_of(*value.as_text(), budget) : TemplateValue::List();
  const TemplateValue::List& items = value.as_text() ? characters : *value.as_list();
  const auto size = static_cast<std::int64_t>(items.size());
  const auto given = integer_of(step);
  if (!given && !step.is_null())
    throw TemplateFailure(TemplateFault::type, "the parts of a slice are whole numbers");
  if (given == 0) throw TemplateFailure(TemplateFault::value, "the step of a slice is zero");
  // A larger step takes one item too.
  const std::int64_t stride = std::clamp(given.value_or(1), -size - 1, size + 1);
  const bool is_forward = stride > 0;
  std::int64_t at =
      clamped(begin, size, is_forward ? 0 : size - 1, is_forward ? 0 : -1, is_forward ? size : size - 1);
  const std::int64_t last =
      clamped(end, size, is_forward ? size : -1, is_forward ? 0 : -1, is_forward ? size : size - 1);
  TemplateValue::List taken;
  std::string text;
  for (; is_forward ? at < last : at > last; at += stride) {
    budget.spend();
    const TemplateValue& item = items[static_cast<std::size_t>(at)];
    if (value.as_text()) {
      text += *item.as_text();
    } else {
      taken.push_back(item);
    }
  }
  if (value.as_text()) return text;
  return TemplateValue::list(std::move(taken));
}

std::optional<std::int64_t> integer_of(const TemplateValue& value) noexcept {
  if (const std::int64_t* const whole = value.as_integer()) return *whole;
  if (const bool* const boolean = value.as_boolean()) return *boolean ? 1 : 0;
  return std::nullopt;
}

std::optional<double> number_of(const TemplateValue& value) noexcept {
  if (const double* const number = value.as_number()) return *number;
  if (const auto whole = integer_of(value)) return static_cast<double>(*whole);
  return std::nullopt;
}

std::size_t find_text(std::string_view text, std::string_view what, std::size_t from) noexcept {
  if (from > text.size()) return text.npos;
  const std::string_view rest = text.substr(from);
  const void* const found = ::memmem(rest.data(), rest.size(), what.data(), what.size());
  return found ? static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) : text.npos;
}

std::size_t count_characters(std::string_view text) noexcept {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(first_character(text).length);
  return count;
}

TemplateValue items_to_loop(const TemplateValue& value, TemplateBudget& budget) {
  if (value.as_list()) return value;
  if (value.as_text()) return TemplateValue::list(characters_of(*value.as_text(), budget));
  if (!value.as_map())
    throw TemplateFailure(TemplateFault::type, fmt::format("a loop cannot go over {}", kind_name(value)));
  budget.spend(value.as_map()->size());
  TemplateValue::List keys;
  for (const auto& [key, item] : *value.as_map()) {
    budget.spend_text(key.size());
    keys.emplace_back(key);
  }
  return TemplateValue::list(std::move(keys));
}

}  // namespace squall::web::detail
