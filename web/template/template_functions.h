#pragma once

#include <squall/web/template/template_value.h>

#include <cstddef>
#include <string_view>

namespace squall::web::detail {

// The function or the module that all templates have by that name (TPL-26); null without one.
const TemplateValue* builtin_named(std::string_view name);

// `object.name(arguments)`, for objects that are no map with such an entry. Throws TemplateFailure of
// AttributeError if there is no such method.
TemplateValue call_method(const TemplateValue& object, std::string_view name, const TemplateCall& call);

// The argument at `index`, or of that name. Null without one; throws TypeError if `is_required`.
const TemplateValue* argument(const TemplateCall& call, std::size_t index, std::string_view name,
                              bool is_required);
// Throws TypeError if there are more arguments than `most`, or one with a name that is not in `names`.
void check_arguments(const TemplateCall& call, std::size_t most,
                     std::initializer_list<std::string_view> names = {});

}  // namespace squall::web::detail
