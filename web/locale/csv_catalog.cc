#include <squall/web/locale/csv_catalog.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/utf8.h>
#include <squall/web/escape/code_point.h>
#include <squall/web/locale/csv_reader.h>
#include <squall/web/locale/translation_error.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace squall::web::detail {
namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr std::string_view kLittleEndianMark = "\xFF\xFE";
constexpr std::string_view kBigEndianMark = "\xFE\xFF";

std::string from_utf16(std::string_view bytes, bool is_little_endian) {
  if (bytes.size() % 2 != 0) throw TranslationError("the file is not UTF-16: it has half a character");
  const auto unit = [&](std::size_t at) {
    const auto first = static_cast<unsigned char>(bytes[at]);
    const auto second = static_cast<unsigned char>(bytes[at + 1]);
    return static_cast<std::uint32_t>(is_little_endian ? second << 8 | first : first << 8 | second);
  };
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    std::uint32_t point = unit(at);
    if (point >= 0xD800 && point <= 0xDFFF) {
      const std::uint32_t low = at + 2 < bytes.size() ? unit(at + 2) : 0;
      if (point > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
        throw TranslationError("the file is not UTF-16: half a surrogate pair");
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
      at += 2;
    }
    append_utf8(text, point);
  }
  return text;
}

}  // namespace

std::string csv_text(std::string_view bytes, CsvEncoding encoding) {
  const bool has_utf16_mark = bytes.starts_with(kLittleEndianMark) || bytes.starts_with(kBigEndianMark);
  if (encoding == CsvEncoding::utf16 || (encoding == CsvEncoding::by_mark && has_utf16_mark)) {
    const bool is_little_endian = !bytes.starts_with(kBigEndianMark);
    return from_utf16(bytes.substr(has_utf16_mark ? 2 : 0), is_little_endian);
  }
  if (bytes.starts_with(kUtf8Mark)) bytes.remove_prefix(kUtf8Mark.size());
  if (!is_utf8(bytes)) throw TranslationError("the file is not UTF-8");
  return std::string(bytes);
}

CsvCatalog::CsvCatalog(std::string_view bytes, CsvEncoding encoding, std::string_view name) {
  const std::string text = csv_text(bytes, encoding);
  CsvReader reader(text);
  for (std::vector<std::string> row; reader.next(row);) {
    if (reader.is_unclosed()) {
      log::general().error("{} line {}: skipped: a quote is not closed", name, reader.line());
      return;
    }
    if (reader.is_too_wide()) {
      log::general().error("{} line {}: skipped: it has more than {} cells", name, reader.line(),
                           CsvReader::kMostCells);
      continue;
    }
    if (row.size() < 2) {
      const bool is_blank = row.empty() || strip(row[0]).empty();
      if (!is_blank) log::general().warning("{} line {}: skipped: no translation", name, reader.line());
      continue;
    }
    const std::string_view kind = row.size() > 2 ? strip(row[2]) : std::string_view();
    Table* const table = table_named(kind);
    if (!table) {
      log::general().error("{} line {}: skipped: '{}' is not plural, singular or unknown", name,
                           reader.line(), kind);
      continue;
    }
    table->insert_or_assign(std::string(strip(row[0])), std::string(strip(row[1])));
  }
}

CsvCatalog::Table* CsvCatalog::table_named(std::string_view name) noexcept {
  if (name.empty() || name == "unknown") return &unknown_;
  if (name == "singular") return &singular_;
  if (name == "plural") return &plural_;
  return nullptr;
}

std::optional<std::string_view> CsvCatalog::find_in(const Table& table, std::string_view message) {
  const auto found = table.find(message);
  if (found == table.end()) return std::nullopt;
  return found->second;
}

}  // namespace squall::web::detail
