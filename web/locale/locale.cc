#include <squall/web/locale/locale.h>

#include <squall/ioloop/base/log.h>
#include <squall/web/locale/format_date.h>
#include <squall/web/locale/locale_data.h>
#include <squall/web/locale/locale_names.h>
#include <squall/web/locale/named_text.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace squall::web {
namespace detail {

LocaleData::LocaleData(std::string locale_code, std::unique_ptr<const Catalog> translations)
    : code(std::move(locale_code)),
      catalog(std::move(translations)),
      name(locale_name(code)),
      is_rtl(is_right_to_left(code)) {
  constexpr std::array kMonths = {"January", "February", "March",     "April",   "May",      "June",
                                  "July",    "August",   "September", "October", "November", "December"};
  constexpr std::array kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                    "Thursday", "Friday", "Saturday"};
  for (std::size_t i = 0; i < months.size(); ++i) months[i] = translate(kMonths[i]);
  for (std::size_t i = 0; i < weekdays.size(); ++i) weekdays[i] = translate(kWeekdays[i]);
}

std::string LocaleData::translate(std::string_view message) const {
  return std::string(catalog ? catalog->find(message).value_or(message) : message);
}

}  // namespace detail

namespace {

std::string in_context(std::string_view context, std::string_view message) {
  return fmt::format("{}{}{}", context, detail::kContextEnd, message);
}

// Whether the locale has messages with contexts. Warns if it has only messages without.
bool has_contexts(const detail::LocaleData& locale) {
  if (!locale.catalog) return false;
  if (locale.catalog->has_contexts()) return true;
  if (!locale.has_warned.test_and_set())
    log::general().warning("pgettext() needs gettext catalogs: the translations of {} are CSV", locale.code);
  return false;
}

}  // namespace

const std::string& Locale::code() const noexcept { return data_->code; }
std::string_view Locale::name() const noexcept { return data_->name; }
bool Locale::is_rtl() const noexcept { return data_->is_rtl; }

std::string Locale::html_lang() const {
  std::string lang = code();
  std::replace(lang.begin(), lang.end(), '_', '-');
  return lang;
}

std::string Locale::translate(std::string_view message) const { return data_->translate(message); }

std::string Locale::translate(std::string_view message, std::string_view plural, std::int64_t count) const {
  const std::string_view otherwise = count == 1 ? message : plural;
  if (!data_->catalog) return std::string(otherwise);
  return std::string(data_->catalog->find(message, plural, count).value_or(otherwise));
}

std::string Locale::pgettext(std::string_view context, std::string_view message) const {
  if (!has_contexts(*data_)) return translate(message);
  return std::string(data_->catalog->find(in_context(context, message)).value_or(message));
}

std::string Locale::pgettext(std::string_view context, std::string_view message, std::string_view plural,
                             std::int64_t count) const {
  if (has_contexts(*data_)) {
    if (const auto found = data_->catalog->find(in_context(context, message), plural, count))
      return std::string(*found);
  }
  return translate(message, plural, count);
}

std::string Locale::format_date(std::chrono::system_clock::time_point date,
                                const DateOptions& options) const {
  return detail::format_date(*this, *data_, date, options);
}

std::string Locale::format_day(std::chrono::system_clock::time_point date, const DayOptions& options) const {
  return detail::format_day(*data_, date, options);
}

std::string Locale::list(const std::vector<std::string>& items) const {
  if (items.empty()) return {};
  if (items.size() == 1) return items[0];
  const std::string_view comma = code() == "fa" || code().starts_with("fa_") ? " \u0648 " : ", ";
  const std::string commas = fmt::to_string(fmt::join(items.begin(), items.end() - 1, comma));
  return fill_in(translate("%(commas)s and %(last)s"), {{"commas", commas}, {"last", items.back()}});
}

std::string Locale::friendly_number(std::int64_t number) const {
  std::string text = fmt::to_string(number);
  if (code() != "en" && code() != "en_US") return text;
  const std::size_t first_digit = number < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > first_digit + 3;) text.insert(at -= 3, 1, ',');
  return text;
}

}  // namespace squall::web
