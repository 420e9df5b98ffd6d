#pragma once

#include <squall/web/template/expression.h>
#include <squall/web/template/template_budget.h>
#include <squall/web/template/template_value.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

// The operators of templates, with Python's rules for whole numbers of 64 bits.
//
// Errors:    TemplateFailure of the fault that Python has
namespace squall::web::detail {

// Bytes of a text that `*` makes at most; items of a list: a 64th of it.
inline constexpr std::uint64_t kMostRepeated = std::uint64_t{1} << 30;

// `op` is an arithmetic operator. With `is_tuple` the right side of a text's `%` has several values.
TemplateValue calculate(Operator op, const TemplateValue& left, const TemplateValue& right, bool is_tuple,
                        TemplateBudget& budget);
// `-value` and `+value`.
TemplateValue negate(const TemplateValue& value);
TemplateValue identity(const TemplateValue& value);

// `op` is an operator of comparison, `in` or `is`.
bool compare(Operator op, const TemplateValue& left, const TemplateValue& right, TemplateBudget& budget);
bool is_equal(const TemplateValue& left, const TemplateValue& right, TemplateBudget& budget);
bool is_less(const TemplateValue& left, const TemplateValue& right, TemplateBudget& budget);

// The item of a list or a map, if there is one in memory. Null for a text: see character_at().
const TemplateValue* item_of(const TemplateValue& container, const TemplateValue& index);
// A text of one character; indexes count characters.
TemplateValue character_at(const TemplateValue& text, const TemplateValue& index, TemplateBudget& budget);
// `value[begin:end:step]`; null values are left out.
TemplateValue slice(const TemplateValue& value, const TemplateValue& begin, const TemplateValue& end,
                    const TemplateValue& step, TemplateBudget& budget);

// Whole numbers and bools.
std::optional<std::int64_t> integer_of(const TemplateValue& value) noexcept;
std::optional<double> number_of(const TemplateValue& value) noexcept;
std::size_t count_characters(std::string_view text) noexcept;
// As text.find(what, from), in linear time.
std::size_t find_text(std::string_view text, std::string_view what, std::size_t from = 0) noexcept;

// The list of the values that a loop takes: the items of a list, the keys of a map, the characters of a text.
TemplateValue items_to_loop(const TemplateValue& value, TemplateBudget& budget);

}  // namespace squall::web::detail
