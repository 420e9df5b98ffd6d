#include <squall/web/locale/locales.h>

#include <squall/http/message/accept.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/log.h>
#include <squall/web/locale/locale_data.h>
#include <squall/web/locale/template_locale.h>
#include <squall/web/locale/translation_files.h>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace squall::web {

struct Locales::Set {
  const Locale* find(std::string_view code) const {
    const auto found = by_code.find(code);
    return found == by_code.end() ? nullptr : &found->second;
  }

  std::vector<Locale> translated;  // without a default locale that has no translations
  std::map<std::string, Locale, std::less<>> by_code;
  std::string default_code;
};

Locales::Locales(std::string default_locale) { install({}, std::move(default_locale)); }

Locales::~Locales() = default;

std::shared_ptr<const Locales::Set> Locales::set() const {
  const std::lock_guard lock(mutex_);
  return set_;
}

// The caller has the lock, or is the constructor.
void Locales::install(std::vector<Locale> translated, std::string default_code) {
  auto made = std::make_shared<Set>();
  for (const Locale& locale : translated) made->by_code.insert_or_assign(locale.code(), locale);
  if (!made->find(default_code)) {
    made->by_code.emplace(default_code,
                          Locale(std::make_shared<const detail::LocaleData>(default_code, nullptr)));
  }
  made->translated = std::move(translated);
  made->default_code = std::move(default_code);
  set_ = std::move(made);
}

void Locales::set_default_locale(std::string code) {
  const std::lock_guard lock(mutex_);
  install(set_->translated, std::move(code));
}

void Locales::replace(std::vector<Locale> loaded, std::string_view folder) {
  if (loaded.empty()) log::general().warning("No translations in {}", folder);
  const std::lock_guard lock(mutex_);
  install(std::move(loaded), set_->default_code);
  folder_ = folder;
}

std::string Locales::folder() const {
  const std::lock_guard lock(mutex_);
  return folder_;
}

void Locales::load_translations(const std::string& folder, CsvEncoding encoding) {
  replace(detail::read_csv_folder(folder, encoding, kMostFileSize), folder);
}

void Locales::load_gettext_translations(const std::string& folder, std::string_view domain) {
  replace(detail::read_gettext_folder(folder, domain, kMostFileSize), folder);
}

Locale Locales::closest(std::span<const std::string_view> codes) const {
  const std::shared_ptr<const Set> set = this->set();
  for (const std::string_view wanted : codes) {
    std::string code(wanted);
    std::replace(code.begin(), code.end(), '-', '_');
    std::string language = code.substr(0, code.find('_'));
    make_lower(language);
    if (code.size() > language.size()) {
      std::string region = code.substr(language.size() + 1);
      if (region.find('_') != region.npos) continue;
      for (char& c : region) c = is_alpha(c) ? static_cast<char>(c & ~0x20) : c;
      code = fmt::format("{}_{}", language, region);
    }
    if (const Locale* const found = set->find(code)) return *found;
    if (const Locale* const found = set->find(language)) return *found;
  }
  return *set->find(set->default_code);
}

Locale Locales::for_browser(std::string_view accept_language, std::string_view otherwise) const {
  std::vector<std::string_view> codes;
  for (const http::Preference& language : http::parse_preferences(accept_language))
    if (language.quality > 0) codes.push_back(language.value);
  if (codes.empty()) codes.push_back(otherwise);
  return closest(codes);
}

TemplateValue Locales::template_value(std::string_view name, const Locale& locale) const {
  if (name == "_") return detail::translate_function(locale);
  if (name == "pgettext") return detail::pgettext_function(locale);
  return detail::locale_facts(locale);
}

std::optional<Locale> Locales::find(std::string_view code) const {
  const std::shared_ptr<const Set> set = this->set();
  const Locale* const found = set->find(code);
  return found ? std::optional(*found) : std::nullopt;
}

std::vector<Locale> Locales::supported_locales() const {
  const std::shared_ptr<const Set> set = this->set();
  std::vector<Locale> locales;
  for (const auto& [code, locale] : set->by_code) locales.push_back(locale);
  return locales;
}

}  // namespace squall::web
