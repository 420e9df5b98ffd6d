#pragma once

#include <squall/web/locale/date_options.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {

namespace detail {

struct LocaleData;

}  // namespace detail

// A language, with its translations: made by Locales, and by RequestHandler::locale().
//
//     write(locale().translate("one message", "%(count)d messages", count));
//
// Thread:    any; a locale does not change. When Locales loads other translations, it keeps the old ones.
// Lifetime:  cheap to copy.
class Locale {
 public:
  // For Locales.
  explicit Locale(std::shared_ptr<const detail::LocaleData> data) noexcept : data_(std::move(data)) {}

  // `de`, `pt_BR`.
  const std::string& code() const noexcept;
  // `de-AT` for `de_AT`: for the attribute `lang` of HTML.
  std::string html_lang() const;
  // The language's own name, `Deutsch`; `Unknown` for languages that Squall does not know (LOC-07).
  std::string_view name() const noexcept;
  // Whether the text runs from right to left: `<html dir="rtl">`.
  bool is_rtl() const noexcept;

  // The translation; `message` itself without one. Its places for values, as in `%(name)s`, are as in the
  // translation: see fill_in().
  std::string translate(std::string_view message) const;
  // The translation for `count` things (LOC-05): gettext chooses by the rule of the language, CSV by whether
  // the count is 1. Without a translation `message` for one thing, otherwise `plural`.
  std::string translate(std::string_view message, std::string_view plural, std::int64_t count) const;
  // The same for messages that mean different things in different contexts: `pgettext("menu", "Open")`
  // (LOC-06). Translations of CSV have no contexts: a warning is logged, once for each locale, and the
  // context ignored.
  std::string pgettext(std::string_view context, std::string_view message) const;
  std::string pgettext(std::string_view context, std::string_view message, std::string_view plural,
                       std::int64_t count) const;

  // The distance to now for dates of the last day, otherwise the date: `3 minutes ago`, `yesterday at 2:30
  // pm`, `April 17 at 2:30 pm`, `April 16, 2023 at 2:30 pm` (LOC-20 to LOC-30). A date of the future has the
  // year; a date of the next minute counts as now, because clocks differ. The phrases are messages that a
  // catalog translates: docs/locales.md lists them. Throws std::invalid_argument for an offset of more than a
  // day.
  std::string format_date(std::chrono::system_clock::time_point date, const DateOptions& options = {}) const;
  // `Monday, January 22` (LOC-10). Throws as above.
  std::string format_day(std::chrono::system_clock::time_point date, const DayOptions& options = {}) const;
  // `A, B and C` (LOC-08).
  std::string list(const std::vector<std::string>& items) const;
  // With commas in English, `1,000,000`, and without them in other languages (LOC-09).
  std::string friendly_number(std::int64_t number) const;

 private:
  std::shared_ptr<const detail::LocaleData> data_;
};

}  // namespace squall::web
