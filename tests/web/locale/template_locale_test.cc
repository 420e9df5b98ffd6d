#include <squall/web/locale/template_locale.h>

#include <squall/web/locale/locales.h>
#include <squall/web/template/template.h>
#include <squall/web/template/template_error.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "support/catch.h"
#include "support/mo_file.h"
#include "support/temporary_folder.h"

namespace squall::web::template_locale_test {
namespace {

using testing::mo_file;
using testing::mo_forms;
using testing::TemporaryFolder;

Locale german() {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "de/LC_MESSAGES");
  folder.file("de/LC_MESSAGES/app.mo",
              mo_file({{"Open", "Öffnen"},
                       {"menu\x04Open", "Aufmachen"},
                       {"%(name)s & Co", "%(name)s <u> Co"},
                       {mo_forms({"fox", "%(n)d foxes"}), mo_forms({"Fuchs", "%(n)d Füchse"})}}));
  Locales locales;
  locales.load_gettext_translations(folder / "", "app");
  return locales.get("de");
}

// The output of a template with the names of a locale.
std::string page(const std::string& text, const Locale& locale = german()) {
  return Template(text).generate({{"_", detail::translate_function(locale)},
                                  {"pgettext", detail::pgettext_function(locale)},
                                  {"locale", detail::locale_facts(locale)}});
}
// The message of the error of a template.
std::string error_of(const std::string& text) {
  try {
    return "none: " + page(text);
  } catch (const TemplateRunError& error) {
    return error.message();
  }
}
Locale english() { return Locales().get("en_US"); }

TEST_CASE("templates translate by _ and pgettext", "[template_locale]") {
  CHECK(page("{{ _('Open') }} {{ _('Close') }}") == "Öffnen Close");
  CHECK(page("{{ pgettext('menu', 'Open') }} {{ pgettext('x', 'Open') }}") == "Aufmachen Open");
  CHECK(page("{{ locale.translate('Open') }}{{ locale.pgettext('menu', 'Open') }}") == "ÖffnenAufmachen");
}

TEST_CASE("templates choose plural forms by a count", "[template_locale]") {
  CHECK(page("{{ _('fox', '%(n)d foxes', 1) }}") == "Fuchs");
  CHECK(page("{% set n = 3 %}{{ _('fox', '%(n)d foxes', n) % {'n': n} }}") == "3 Füchse");
  CHECK(page("{{ _('fox', plural_message='%(n)d foxes', count=2) }}") == "%(n)d Füchse");
  CHECK(page("{{ pgettext('den', 'fox', '%(n)d foxes', 2) }}") == "%(n)d Füchse");
}

TEST_CASE("a translation is escaped like any other text", "[template_locale]") {
  CHECK(page("{{ _('%(name)s & Co') % {'name': '<i>'} }}") == "&lt;i&gt; &lt;u&gt; Co");
}

TEST_CASE("a page has the code, the name and the direction of its locale", "[template_locale]") {
  CHECK(page("{{ locale.code }} {{ locale.name }} {{ locale.rtl }}") == "de Deutsch False");
  CHECK(page("<html lang='{{ locale.html_lang }}' dir='{{ 'rtl' if locale.rtl else 'ltr' }}'>",
             Locales("ar_EG").get("ar_EG")) == "<html lang='ar-EG' dir='rtl'>");
}

TEST_CASE("templates format dates, lists and numbers", "[template_locale]") {
  const auto at = [](const std::string& text) { return page(text, english()); };
  // 2018-01-22 09:05.
  CHECK(at("{{ locale.format_date(1516611900) }}") == "January 22, 2018 at 9:05 am");
  CHECK(at("{{ locale.format_date(1516611900.9, 480, True, True) }}") == "January 22, 2018");
  CHECK(at("{{ locale.format_date(1516611900, gmt_offset=-60, full_format=True) }}") ==
        "January 22, 2018 at 10:05 am");
  CHECK(at("{{ locale.format_day(1516611900) }}, {{ locale.format_day(1516611900, 600, dow=False) }}") ==
        "Monday, January 22, January 21");
  CHECK(at("{{ locale.list(['A', 'B', 'C']) }}") == "A, B and C");
  CHECK(at("{{ locale.friendly_number(1234567) }}") == "1,234,567");
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto earlier = std::chrono::duration_cast<std::chrono::seconds>(now - std::chrono::minutes(10));
  CHECK(at("{{ locale.format_date(" + std::to_string(earlier.count()) + ") }}") == "10 minutes ago");
}

TEST_CASE("wrong arguments are errors of the template", "[template_locale]") {
  CHECK(error_of("{{ _(1) }}") == "TypeError: 'message' must be a text");
  CHECK(error_of("{{ _('fox', 'foxes') }}") == "TypeError: a plural and its count belong together");
  CHECK(error_of("{{ _('fox', count=2) }}") == "TypeError: a plural and its count belong together");
  CHECK(error_of("{{ _('fox', 'foxes', 'x') }}") == "TypeError: 'count' must be a whole number");
  CHECK(error_of("{{ locale.format_date('today') }}") ==
        "TypeError: 'date' must be a number of seconds since 1970");
  CHECK(error_of("{{ locale.format_date(1e300) }}").ends_with("is no date of the clock"));
  CHECK(error_of("{{ locale.format_day(-1e300) }}").ends_with("is no date of the clock"));
  CHECK(error_of("{{ locale.format_date(1, 1441) }}") == "ValueError: gmt_offset 1441 is more than a day");
  CHECK(error_of("{{ locale.list('AB') }}") == "TypeError: 'parts' must be a list of texts");
  CHECK(error_of("{{ locale.list([1]) }}") == "TypeError: 'parts' must be a list of texts");
  CHECK(error_of("{{ locale.friendly_number(1.5) }}") == "TypeError: 'value' must be a whole number");
}

}  // namespace
}  // namespace squall::web::template_locale_test
