#include <squall/web/locale/csv_catalog.h>

#include <squall/testing/log_capture.h>
#include <squall/web/locale/csv_reader.h>
#include <squall/web/locale/translation_error.h>

#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::web::csv_catalog_test {
namespace {

using namespace std::string_literals;
using detail::csv_text;
using detail::CsvCatalog;
using detail::CsvReader;
using detail::TranslationError;
using testing::LogCapture;

CsvCatalog catalog(std::string_view text) { return CsvCatalog(text, CsvEncoding::by_mark, "es_ES.csv"); }

std::string error_of(std::string_view bytes, CsvEncoding encoding = CsvEncoding::by_mark) {
  try {
    static_cast<void>(csv_text(bytes, encoding));
  } catch (const TranslationError& error) {
    return error.what();
  }
  return "none";
}

TEST_CASE("rows have a message, a translation and its use (LOC-03, LOC-05)", "[csv_catalog]") {
  const CsvCatalog all = catalog(
      "Sign out,Salir\n"
      "\"%(name)s liked this\",\"A %(name)s les gustó esto\",plural\n"
      "\"%(name)s liked this\",\"A %(name)s le gustó esto\",singular\n"
      "x,y,unknown\n"
      "z,w,\n");
  CHECK(all.find("Sign out") == "Salir");
  CHECK(all.find("x") == "y");
  CHECK(all.find("z") == "w");
  CHECK_FALSE(all.find("%(name)s liked this"));
  CHECK(all.find("%(name)s liked this", "%(name)s liked this", 1) == "A %(name)s le gustó esto");
  for (const int count : {0, 2, -1, 100})
    CHECK(all.find("%(name)s liked this", "%(name)s liked this", count) == "A %(name)s les gustó esto");
  CHECK_FALSE(all.find("Sign out", "Sign out", 1));
  CHECK_FALSE(all.has_contexts());
}

TEST_CASE("cells are trimmed, and rows with fewer than two cells are skipped", "[csv_catalog]") {
  LogCapture log;
  const CsvCatalog all = catalog("  a\t, b \n\nalone\n c ,d, plural \n");
  CHECK(all.find("a") == "b");
  CHECK_FALSE(all.find("alone"));
  CHECK(log.expect("es_ES.csv line 3: skipped: no translation").level == log::Level::warning);
  CHECK(all.find("", "c", 2) == "d");
}

TEST_CASE("of two rows with one message the last counts", "[csv_catalog]") {
  CHECK(catalog("a,b\na,c\n").find("a") == "c");
}

TEST_CASE("a row with an unknown word is skipped and logged", "[csv_catalog]") {
  LogCapture log;
  const CsvCatalog all = catalog("a,b,several\nc,d\n");
  CHECK(log.expect("es_ES.csv line 1: skipped: 'several' is not plural, singular or unknown").level ==
        log::Level::error);
  CHECK_FALSE(all.find("a"));
  CHECK(all.find("c") == "d");
}

TEST_CASE("a quote that is not closed is logged, and the rows before it are kept", "[csv_catalog]") {
  LogCapture log;
  const CsvCatalog all = catalog("a,b\nc,\"d\ne,f\n");
  log.expect("es_ES.csv line 2: skipped: a quote is not closed");
  CHECK(all.find("a") == "b");
  CHECK_FALSE(all.find("c"));
  CHECK_FALSE(all.find("e"));
}

TEST_CASE("a row of very many cells is skipped and logged", "[csv_catalog]") {
  LogCapture log;
  const CsvCatalog all = catalog("a,b\nc,d" + std::string(CsvReader::kMostCells - 1, ',') + "\ne,f,,g\n");
  log.expect("es_ES.csv line 2: skipped: it has more than 1000 cells");
  CHECK(all.find("a") == "b");
  CHECK_FALSE(all.find("c"));
  CHECK(all.find("e") == "f");
}

TEST_CASE("files are UTF-8 with or without a mark, or UTF-16 with one (LOC-03)", "[csv_catalog]") {
  CHECK(csv_text("ä", CsvEncoding::by_mark) == "ä");
  CHECK(csv_text("\xEF\xBB\xBFä", CsvEncoding::by_mark) == "ä");
  CHECK(csv_text("\xEF\xBB\xBFä", CsvEncoding::utf8) == "ä");
  CHECK(csv_text("\xFF\xFE\xE4\x00\x3D\xD8\x00\xDE"s, CsvEncoding::by_mark) == "ä😀");
  CHECK(csv_text("\xFE\xFF\x00\xE4\xD8\x3D\xDE\x00"s, CsvEncoding::by_mark) == "ä😀");
  CHECK(csv_text("\xFE\xFF\x00\xE4"s, CsvEncoding::utf16) == "ä");
  CHECK(csv_text("\xE4\x00"s, CsvEncoding::utf16) == "ä");
  CHECK(csv_text("", CsvEncoding::by_mark).empty());
}

TEST_CASE("bytes of another encoding are refused", "[csv_catalog]") {
  CHECK(error_of("\xE4") == "the file is not UTF-8");
  CHECK(error_of("\xFF\xFE\xE4\x00"s, CsvEncoding::utf8) == "the file is not UTF-8");
  CHECK(error_of("\xFF\xFE\xE4"s) == "the file is not UTF-16: it has half a character");
  constexpr const char* kHalf = "the file is not UTF-16: half a surrogate pair";
  CHECK(error_of("\xFF\xFE\x3D\xD8"s) == kHalf);
  CHECK(error_of("\xFF\xFE\x3D\xD8\x41\x00"s) == kHalf);
  CHECK(error_of("\xFF\xFE\x00\xDE"s) == kHalf);
}

}  // namespace
}  // namespace squall::web::csv_catalog_test
