#pragma once

#include <squall/web/locale/csv_encoding.h>
#include <squall/web/locale/locale.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web::detail {

// The locales of a folder: see Locales::load_translations() and load_gettext_translations(). Files of more
// than `most` bytes are skipped.
std::vector<Locale> read_csv_folder(const std::string& folder, CsvEncoding encoding, std::size_t most);
std::vector<Locale> read_gettext_folder(const std::string& folder, std::string_view domain, std::size_t most);

}  // namespace squall::web::detail
