#pragma once

#include <squall/web/template/template_budget.h>
#include <squall/web/template/template_value.h>

#include <string>
#include <string_view>

namespace squall::web::detail {

// `a text`, `a list` and so on, for errors.
std::string_view kind_name(const TemplateValue& value) noexcept;

// The text of a value, as Python's str() has it (TPL-25): text as it is, `None`, `True`, `1.0`, `['a', 1]`.
void append_text(std::string& to, const TemplateValue& value, TemplateBudget& budget);
// As Python's repr(): text in quotes.
void append_repr(std::string& to, const TemplateValue& value, TemplateBudget& budget);

// JSON of ASCII characters, as json_encode has it (ESC-03): `, ` and `: ` as separators, and `<\/` for `</`.
// Numbers that JSON lacks, and functions, are null.
void append_json(std::string& to, const TemplateValue& value, TemplateBudget& budget);
// JSON for scripts, in elements and in attributes: `& < > '` of texts are escaped as \u0026 and so on.
void append_script_json(std::string& to, const TemplateValue& value, TemplateBudget& budget);

}  // namespace squall::web::detail
