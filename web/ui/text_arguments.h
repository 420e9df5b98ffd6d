#pragma once

#include <squall/web/template/template_functions.h>
#include <squall/web/template/template_value.h>
#include <squall/web/template/value_text.h>

#include <cstddef>
#include <string>

namespace squall::web::detail {

// A value as text, as `{{ }}` writes it.
inline std::string text_of(const TemplateValue& value, const TemplateCall& call) {
  std::string text;
  append_text(text, value, call.budget);
  return text;
}

// The argument at `index`, which the call must have, as text.
inline std::string text_at(const TemplateCall& call, std::size_t index) {
  return text_of(*argument(call, index, "", true), call);
}

}  // namespace squall::web::detail
