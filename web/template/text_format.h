#pragma once

#include <squall/web/template/template_budget.h>
#include <squall/web/template/template_value.h>

#include <string_view>

namespace squall::web::detail {

// `format % values`, as in Python: `%s %r %d %i %x %X %o %f %F %e %E %g %G %c %%`, with flags, width and
// precision, and `%(name)s` for the entry of a map. `is_tuple`: `values` is a list of values, and otherwise
// one value.
//
// Errors:    TemplateFailure: TypeError for too many or too few values, and for values of another type;
//            ValueError for a malformed format
TemplateValue format_text(std::string_view format, const TemplateValue& values, bool is_tuple,
                          TemplateBudget& budget);

}  // namespace squall::web::detail
