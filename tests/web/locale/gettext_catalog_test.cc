#include <squall/web/locale/gettext_catalog.h>

#include <squall/web/locale/translation_error.h>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/growth.h"
#include "support/mo_file.h"

namespace squall::web::gettext_catalog_test {
namespace {

using detail::GettextCatalog;
using detail::TranslationError;
using testing::mo_file;
using testing::mo_forms;
using testing::MoOrder;

constexpr std::string_view kHeader =
    "Project-Id-Version: test\nContent-Type: text/plain; charset=UTF-8\n"
    "Plural-Forms: nplurals=3; plural=n==1 ? 0 : n<5 ? 1 : 2;\n";

std::vector<std::pair<std::string, std::string>> entries() {
  return {{"", std::string(kHeader)},
          {"Open", "Öffnen"},
          {"menu\x04Open", "Aufmachen"},
          {mo_forms({"one fox", "%(n)d foxes"}), mo_forms({"ein Fuchs", "%(n)d Füchse", "viele Füchse"})},
          {mo_forms({"one", "few"}), mo_forms({"eins", "wenige"})}};
}

std::string error_of(std::string bytes) {
  try {
    static_cast<void>(GettextCatalog(std::move(bytes)));
  } catch (const TranslationError& error) {
    return error.what();
  }
  return "none";
}
std::string error_of_header(std::string header) { return error_of(mo_file({{"", std::move(header)}})); }

// Writes a little-endian number over the bytes at an offset.
std::string with_number(std::string bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> 8 * i & 0xFF);
  return bytes;
}

TEST_CASE("catalogs of both byte orders are read (LOC-04)", "[gettext_catalog]") {
  for (const MoOrder order : {MoOrder::little_endian, MoOrder::big_endian}) {
    const GettextCatalog catalog(mo_file(entries(), order));
    CHECK(catalog.size() == 4);
    CHECK(catalog.find("Open") == "Öffnen");
    CHECK(catalog.find("menu\x04Open") == "Aufmachen");
    CHECK_FALSE(catalog.find("Close"));
    CHECK_FALSE(catalog.find("Open\x04"));
    CHECK(catalog.has_contexts());
  }
}

TEST_CASE("the rule of the catalog chooses the plural form", "[gettext_catalog]") {
  const GettextCatalog catalog(mo_file(entries()));
  CHECK(catalog.find("one fox", "%(n)d foxes", 1) == "ein Fuchs");
  CHECK(catalog.find("one fox", "%(n)d foxes", 0) == "%(n)d Füchse");
  CHECK(catalog.find("one fox", "%(n)d foxes", 5) == "viele Füchse");
  // The plural is not a part of the key, as in gettext.
  CHECK(catalog.find("one fox", "another plural", 1) == "ein Fuchs");
  // As in C, where the count is unsigned.
  CHECK(catalog.find("one fox", "%(n)d foxes", -1) == "viele Füchse");
  CHECK_FALSE(catalog.find("%(n)d foxes"));
}

TEST_CASE("a missing form, and an entry without a plural, are not found for a count", "[gettext_catalog]") {
  const GettextCatalog catalog(mo_file(entries()));
  CHECK(catalog.find("one", "few", 1) == "eins");
  CHECK(catalog.find("one", "few", 3) == "wenige");
  CHECK_FALSE(catalog.find("one", "few", 9));
  CHECK_FALSE(catalog.find("Open", "Opens", 1));
  CHECK_FALSE(catalog.find("Open", "Opens", 2));
}

TEST_CASE("without a count an entry with a plural gives the form for one thing", "[gettext_catalog]") {
  CHECK(GettextCatalog(mo_file(entries())).find("one fox") == "ein Fuchs");
}

TEST_CASE("without a header the rule is that of English, and text is UTF-8", "[gettext_catalog]") {
  const GettextCatalog catalog(mo_file({{mo_forms({"a", "b"}), mo_forms({"ä", "bb"})}}));
  CHECK(catalog.find("a", "b", 1) == "ä");
  CHECK(catalog.find("a", "b", 0) == "bb");
}

TEST_CASE("the header is not a translation of the empty message", "[gettext_catalog]") {
  CHECK_FALSE(GettextCatalog(mo_file(entries())).find(""));
}

TEST_CASE("charsets other than UTF-8 and ASCII are refused", "[gettext_catalog]") {
  for (const char* charset : {"UTF-8", "utf8", "US-ASCII", "ascii", "CHARSET", ""})
    CHECK(error_of_header(fmt::format("Content-Type: text/plain; charset={}\n", charset)) == "none");
  CHECK(error_of_header("content-type: text/plain; charset=ISO-8859-1\n") ==
        "the charset is ISO-8859-1: convert the .po file by `msgconv --to-code=UTF-8`");
  CHECK(error_of(mo_file({{"Open",
                           "\xD6"
                           "ffnen"}})) == "the message 'Open' or its translation is not UTF-8");
  CHECK(error_of(mo_file({{"\xFF", "x"}})) == "the message '?' or its translation is not UTF-8");
}

TEST_CASE("a catalog with a wrong plural rule is refused", "[gettext_catalog]") {
  CHECK(error_of_header("Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;\n")
            .starts_with("Plural-Forms needs an nplurals"));
}

TEST_CASE("bytes that are not a catalog are refused", "[gettext_catalog]") {
  CHECK(error_of("") == "the file is too short for a .mo file");
  CHECK(error_of(std::string(19, 'x')) == "the file is too short for a .mo file");
  CHECK(error_of(std::string(40, 'x')) == "the file does not begin as a .mo file");
  const std::string good = mo_file({{"a", "b"}});
  CHECK(error_of(good) == "none");
  CHECK(error_of(with_number(good, 4, 0x00010001)) == "none");
  CHECK(error_of(with_number(good, 4, 0x00020000)) == "the .mo file has the unknown revision 2");
  for (const std::size_t at : {8u, 12u, 16u})
    CHECK(error_of(with_number(good, at, 0xFFFFFFFF)) == "a table of the .mo file goes beyond its end");
  CHECK(error_of(with_number(good, 8, 0)) == "none");
  for (const std::size_t at : {28u, 32u, 36u, 40u})
    CHECK(error_of(with_number(good, at, 0xFFFFFFFF)) == "a string of the .mo file goes beyond its end");
}

TEST_CASE("a catalog that is cut off is refused at every length but the last", "[gettext_catalog]") {
  const std::string good = mo_file({{"message", "translation"}});
  // The NUL behind the last string is not needed.
  for (std::size_t size = 0; size + 1 < good.size(); ++size) CHECK(error_of(good.substr(0, size)) != "none");
}

// Each of many entries has the same text, which is as long as all entries.
std::string overlapping_file(std::size_t size) {
  const std::vector<std::pair<std::string, std::string>> many(size / 16, {"a", "b"});
  std::string bytes = mo_file(many);
  bytes.append(size, 'x');
  for (std::size_t i = 0; i < many.size() * 2; ++i) {
    bytes = with_number(std::move(bytes), 28 + 8 * i, static_cast<std::uint32_t>(size));
    bytes = with_number(std::move(bytes), 32 + 8 * i, static_cast<std::uint32_t>(28 + 16 * many.size()));
  }
  return bytes;
}

TEST_CASE("strings that overlap are refused, because they would cost quadratic time", "[gettext_catalog]") {
  CHECK(error_of(overlapping_file(1600)) == "the strings of the .mo file overlap");
}

TEST_CASE("reading a catalog takes linear time", "[gettext_catalog]") {
  constexpr std::size_t kSmall = 1000;
  std::map<std::size_t, std::string> files;
  for (const std::size_t size : {kSmall, kSmall * testing::kLargeToSmall}) {
    std::vector<std::pair<std::string, std::string>> many;
    for (std::size_t i = 0; i < size; ++i) many.emplace_back(fmt::format("message {}", i), "x");
    files.emplace(size, mo_file(many));
  }
  const auto read = [&](std::size_t size) { CHECK(GettextCatalog(files.at(size)).size() == size); };
  CHECK(testing::growth(kSmall, read) < testing::kMostLinearGrowth);
}

}  // namespace
}  // namespace squall::web::gettext_catalog_test
