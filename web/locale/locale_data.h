#pragma once

#include <squall/web/locale/catalog.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>

namespace squall::web::detail {

// The data of a Locale, shared by its copies.
//
// Thread:    any; only `has_warned` changes.
struct LocaleData {
  // `translations` is null for a locale without any.
  LocaleData(std::string locale_code, std::unique_ptr<const Catalog> translations);

  std::string translate(std::string_view message) const;

  const std::string code;
  const std::unique_ptr<const Catalog> catalog;
  const std::string_view name;
  const bool is_rtl;
  // Translated once, for format_date().
  std::array<std::string, 12> months;
  std::array<std::string, 7> weekdays;  // from Sunday
  mutable std::atomic_flag has_warned;  // of a context in CSV
};

}  // namespace squall::web::detail
