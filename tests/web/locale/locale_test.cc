#include <squall/web/locale/locale.h>

#include <squall/testing/log_capture.h>
#include <squall/web/locale/locales.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/mo_file.h"
#include "support/temporary_folder.h"

namespace squall::web::locale_test {
namespace {

using testing::LogCapture;
using testing::mo_file;
using testing::mo_forms;
using testing::TemporaryFolder;

Locale without_translations(const std::string& code) { return Locales(code).get(code); }

Locale of_csv(const std::string& text) {
  const TemporaryFolder folder;
  folder.file("de.csv", text);
  Locales locales;
  locales.load_translations(folder / "");
  return locales.get("de");
}

Locale of_gettext() {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "de/LC_MESSAGES");
  folder.file("de/LC_MESSAGES/app.mo", mo_file({{"Open", "Öffnen"},
                                                {"menu\x04Open", "Aufmachen"},
                                                {mo_forms({"fox", "foxes"}), mo_forms({"Fuchs", "Füchse"})},
                                                {mo_forms({"menu\x04"
                                                           "fox",
                                                           "foxes"}),
                                                 mo_forms({"ein Fuchs", "alle Füchse"})}}));
  Locales locales;
  locales.load_gettext_translations(folder / "", "app");
  return locales.get("de");
}

TEST_CASE("a locale has its code, its own name and its direction (LOC-07)", "[locale]") {
  CHECK(without_translations("en_US").name() == "English (United States)");
  CHECK(without_translations("de").name() == "Deutsch");
  CHECK(without_translations("zh_TW").name() == "繁體中文");
  CHECK(without_translations("af").name() == "Afrikaans");
  CHECK(without_translations("yi").name() == "ייִדיש");
  CHECK(without_translations("xx").name() == "Unknown");
  CHECK(without_translations("de_XX").name() == "Unknown");
  CHECK(without_translations("pt_BR").code() == "pt_BR");
  CHECK(without_translations("pt_BR").html_lang() == "pt-BR");
  for (const char* code : {"fa", "fa_IR", "ar", "ar_EG", "he", "he_IL", "ur"})
    CHECK(without_translations(code).is_rtl());
  // Mapudungun begins with the letters of Arabic, and is written with Latin letters.
  for (const char* code : {"en", "de_DE", "arn", "hex"}) CHECK_FALSE(without_translations(code).is_rtl());
}

TEST_CASE("without translations texts are those of the program (LOC-05)", "[locale]") {
  const Locale locale = without_translations("en_US");
  CHECK(locale.translate("Open") == "Open");
  CHECK(locale.translate("fox", "foxes", 1) == "fox");
  CHECK(locale.translate("fox", "foxes", 0) == "foxes");
  CHECK(locale.translate("fox", "foxes", 2) == "foxes");
  CHECK(locale.pgettext("menu", "Open") == "Open");
  CHECK(locale.pgettext("menu", "fox", "foxes", 2) == "foxes");
  CHECK(locale.translate("").empty());
}

TEST_CASE("a message without a translation stays as it is (LOC-05)", "[locale]") {
  for (const Locale& locale : {of_csv("a,b\n"), of_gettext()}) {
    CHECK(locale.translate("Close") == "Close");
    CHECK(locale.translate("cat", "cats", 1) == "cat");
    CHECK(locale.translate("cat", "cats", 5) == "cats");
  }
}

TEST_CASE("CSV chooses by whether the count is 1 (LOC-05)", "[locale]") {
  const Locale locale = of_csv("fox,Fuchs,singular\nfoxes,Füchse,plural\nfox,Reineke\n");
  CHECK(locale.translate("fox", "foxes", 1) == "Fuchs");
  CHECK(locale.translate("fox", "foxes", 0) == "Füchse");
  CHECK(locale.translate("fox") == "Reineke");
}

TEST_CASE("a context distinguishes messages of gettext (LOC-06)", "[locale]") {
  const Locale locale = of_gettext();
  CHECK(locale.translate("Open") == "Öffnen");
  CHECK(locale.pgettext("menu", "Open") == "Aufmachen");
  CHECK(locale.pgettext("menu", "fox", "foxes", 1) == "ein Fuchs");
  CHECK(locale.pgettext("menu", "fox", "foxes", 2) == "alle Füchse");
}

TEST_CASE("a missing context gives the message, or the plural without a context (LOC-06)", "[locale]") {
  const Locale locale = of_gettext();
  CHECK(locale.pgettext("shop", "Open") == "Open");
  CHECK(locale.pgettext("shop", "fox", "foxes", 1) == "Fuchs");
  CHECK(locale.pgettext("shop", "fox", "foxes", 2) == "Füchse");
  CHECK(locale.pgettext("shop", "cat", "cats", 2) == "cats");
}

TEST_CASE("CSV ignores the context, with one warning for each locale (LOC-06)", "[locale]") {
  const Locale locale = of_csv("Open,Öffnen\nfoxes,Füchse,plural\n");
  LogCapture log;
  CHECK(locale.pgettext("menu", "Open") == "Öffnen");
  CHECK(locale.pgettext("menu", "fox", "foxes", 2) == "Füchse");
  CHECK(log.expect("pgettext() needs gettext catalogs: the translations of de are CSV").level ==
        log::Level::warning);
}

TEST_CASE("a list has commas and an and (LOC-08)", "[locale]") {
  const Locale locale = without_translations("en_US");
  CHECK(locale.list({}).empty());
  CHECK(locale.list({"A"}) == "A");
  CHECK(locale.list({"A", "B"}) == "A and B");
  CHECK(locale.list({"A", "B", "C"}) == "A, B and C");
  CHECK(locale.list({"%(last)s", "%%"}) == "%(last)s and %%");
  CHECK(without_translations("fa_IR").list({"A", "B", "C"}) == "A و B and C");
  CHECK(without_translations("fa").list({"A", "B", "C"}) == "A و B and C");
  CHECK(of_csv("%(commas)s and %(last)s,%(commas)s und %(last)s\n").list({"A", "B"}) == "A und B");
}

TEST_CASE("numbers have commas in English only (LOC-09)", "[locale]") {
  for (const char* code : {"en", "en_US"}) {
    const Locale locale = without_translations(code);
    CHECK(locale.friendly_number(1'000'000) == "1,000,000");
    CHECK(locale.friendly_number(999) == "999");
    CHECK(locale.friendly_number(1000) == "1,000");
    CHECK(locale.friendly_number(0) == "0");
    CHECK(locale.friendly_number(-123) == "-123");
    CHECK(locale.friendly_number(-1234) == "-1,234");
    CHECK(locale.friendly_number(-123456) == "-123,456");
    CHECK(locale.friendly_number(std::numeric_limits<std::int64_t>::min()) == "-9,223,372,036,854,775,808");
  }
  CHECK(without_translations("de").friendly_number(1'000'000) == "1000000");
  CHECK(without_translations("en_GB").friendly_number(1'000'000) == "1000000");
}

}  // namespace
}  // namespace squall::web::locale_test
