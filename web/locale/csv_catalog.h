#pragma once

#include <squall/web/locale/catalog.h>
#include <squall/web/locale/csv_encoding.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web::detail {

// Translations of a CSV file (LOC-03): in each row a message, its translation and, or not, one of the words
// `plural`, `singular` and `unknown`. Messages have no context.
class CsvCatalog final : public Catalog {
 public:
  // `bytes` is the content of the file. Logs an error for each row that is skipped, with `name` and the line.
  // Throws TranslationError for bytes that are not text of the encoding.
  CsvCatalog(std::string_view bytes, CsvEncoding encoding, std::string_view name);

  std::optional<std::string_view> find(std::string_view message) const override {
    return find_in(unknown_, message);
  }
  std::optional<std::string_view> find(std::string_view message, std::string_view plural,
                                       std::int64_t count) const override {
    return count == 1 ? find_in(singular_, message) : find_in(plural_, plural);
  }
  bool has_contexts() const noexcept override { return false; }

 private:
  using Table = std::map<std::string, std::string, std::less<>>;

  static std::optional<std::string_view> find_in(const Table& table, std::string_view message);
  Table* table_named(std::string_view name) noexcept;

  Table unknown_;
  Table singular_;
  Table plural_;
};

// The text as UTF-8, without a byte order mark. Throws TranslationError.
std::string csv_text(std::string_view bytes, CsvEncoding encoding);

}  // namespace squall::web::detail
