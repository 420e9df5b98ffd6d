#pragma once

#include <squall/web/locale/locale.h>
#include <squall/web/template/template_value.h>

namespace squall::web::detail {

// The functions `_` and `pgettext` of templates, and their value `locale`, for pages in that locale
// (docs/locales.md). Dates are seconds since 1970.
TemplateValue translate_function(const Locale& locale);
TemplateValue pgettext_function(const Locale& locale);
TemplateValue locale_facts(const Locale& locale);

}  // namespace squall::web::detail
