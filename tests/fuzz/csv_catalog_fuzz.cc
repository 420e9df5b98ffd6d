// Translations of CSV: the encoding, the rows, and a look-up of each. Input: a file.

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/utf8.h>
#include <squall/web/locale/csv_catalog.h>
#include <squall/web/locale/csv_reader.h>
#include <squall/web/locale/translation_error.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz.h"

namespace squall::web::detail {
namespace {

void check_rows(std::string_view text, const CsvCatalog& catalog) {
  CsvReader reader(text);
  std::size_t bytes = 0;
  std::size_t line = 0;
  for (std::vector<std::string> row; reader.next(row);) {
    FUZZ_CHECK(reader.line() > line);
    line = reader.line();
    for (const std::string& cell : row) bytes += cell.size();
    FUZZ_CHECK(row.size() <= CsvReader::kMostCells);
    if (row.size() == 2 && !reader.is_unclosed()) FUZZ_CHECK(catalog.find(strip(row[0])));
  }
  FUZZ_CHECK(bytes <= text.size());
}

void check(std::string_view bytes) {
  for (const CsvEncoding encoding : {CsvEncoding::by_mark, CsvEncoding::utf8, CsvEncoding::utf16}) {
    try {
      const std::string text = csv_text(bytes, encoding);
      FUZZ_CHECK(is_utf8(text));
      check_rows(text, CsvCatalog(bytes, encoding, "xx.csv"));
    } catch (const TranslationError& error) {
      FUZZ_CHECK(*error.what() != '\0');
    }
  }
}

}  // namespace
}  // namespace squall::web::detail

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  squall::log::root().set_level(squall::log::Level::none);
  squall::web::detail::check(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
