#pragma once

#include <squall/web/locale/csv_encoding.h>
#include <squall/web/locale/locale.h>
#include <squall/web/template/template_value.h>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

// The locales of a program, or of one of its applications, which gets it by Settings::locales:
//
//     auto locales = std::make_shared<web::Locales>();
//     locales->load_gettext_translations("locale", "shop");
//     settings.locales = locales;
//     locales->get("de-AT").translate("Sign out");
//
// A locale is supported if it has translations, or if it is the default locale. The translations are an
// immutable set: a further call of a load function replaces the whole set, and a Locale keeps its own.
//
// Thread:    any thread may call all functions at any time. To load reads files: in a program that serves,
//            call it by run_in_executor().
// Errors:    std::system_error if the folder cannot be read. A file that cannot be used is skipped, with an
//            error in the log; if none is left, a warning is logged.
class Locales {
 public:
  explicit Locales(std::string default_locale = "en_US");
  virtual ~Locales();
  Locales(const Locales&) = delete;
  Locales& operator=(const Locales&) = delete;

  // The locale for codes that are not supported (LOC-01).
  void set_default_locale(std::string code);

  // Each replaces the translations. Files have at most kMostFileSize bytes.

  // The files `<locale>.csv` of the folder, such as `de.csv` and `pt_BR.csv` (LOC-03).
  void load_translations(const std::string& folder, CsvEncoding encoding = CsvEncoding::by_mark);
  // The files `<locale>/LC_MESSAGES/<domain>.mo` of the folder (LOC-04).
  void load_gettext_translations(const std::string& folder, std::string_view domain);

  // The closest locale (LOC-02): of each code in turn the code itself, `pt-br` as `pt_BR`, then its language,
  // `pt`; then the default. `fr` does not match `fr_FR`.
  Locale get(std::string_view code) const { return closest({&code, 1}); }
  Locale get(std::initializer_list<std::string_view> codes) const {
    return closest({codes.begin(), codes.size()});
  }
  Locale closest(std::span<const std::string_view> codes) const;

  // For RequestHandler. Virtual, so that a program without locales does not link their code.
  // The closest locale to the languages of the header Accept-Language, by their weights; to `otherwise` if it
  // has none (WEB-131).
  virtual Locale for_browser(std::string_view accept_language, std::string_view otherwise) const;
  // A name that templates have, for pages in that locale: `_`, `pgettext` or `locale`.
  virtual TemplateValue template_value(std::string_view name, const Locale& locale) const;

  // The folder of the translations; empty if none were loaded. Virtual as above, for autoreload.
  virtual std::string folder() const;

  // The locale of exactly that code: for the choice of a user. nullopt if it is not supported.
  std::optional<Locale> find(std::string_view code) const;
  // Sorted by code: for a menu of languages.
  std::vector<Locale> supported_locales() const;

  static constexpr std::size_t kMostFileSize = 64 * 1024 * 1024;

 private:
  struct Set;

  std::shared_ptr<const Set> set() const;
  void replace(std::vector<Locale> loaded, std::string_view folder);
  void install(std::vector<Locale> translated, std::string default_code);

  mutable std::mutex mutex_;
  std::shared_ptr<const Set> set_;  // guarded by mutex_; the set itself does not change
  std::string folder_;              // guarded by mutex_
};

}  // namespace squall::web
