#include <squall/web/locale/locales.h>

#include <squall/testing/log_capture.h>

#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "support/catch.h"
#include "support/mo_file.h"
#include "support/temporary_folder.h"

namespace squall::web::locales_test {
namespace {

namespace fs = std::filesystem;
using testing::LogCapture;
using testing::mo_file;
using testing::TemporaryFolder;

std::string codes(const Locales& locales) {
  std::string all;
  for (const Locale& locale : locales.supported_locales()) all += locale.code() + " ";
  return all;
}

// The content of the file of each locale says the locale.
void write_csv(const TemporaryFolder& folder, const std::string& code) {
  folder.file(code + ".csv", "language," + code + "\n");
}
void write_mo(const TemporaryFolder& folder, const std::string& code, const std::string& bytes) {
  fs::create_directories(folder / (code + "/LC_MESSAGES"));
  folder.file(code + "/LC_MESSAGES/app.mo", bytes);
}

TEST_CASE("at first the default locale alone is supported (LOC-01)", "[locales]") {
  CHECK(codes(Locales()) == "en_US ");
  CHECK(Locales().get("de").code() == "en_US");
  CHECK(Locales("de").get("fr").code() == "de");
}

TEST_CASE("the closest locale is the code, its language, or the default (LOC-02)", "[locales]") {
  const TemporaryFolder folder;
  for (const char* code : {"pt", "zh_CN", "es_ES", "en", "fr_FR"}) write_csv(folder, code);
  Locales locales;
  locales.load_translations(folder / "");
  CHECK(codes(locales) == "en en_US es_ES fr_FR pt zh_CN ");
  CHECK(locales.get("pt-br").code() == "pt");
  CHECK(locales.get("zh-cn").code() == "zh_CN");
  CHECK(locales.get("ZH_cn").code() == "zh_CN");
  CHECK(locales.get({"zh_Hans_CN", "es-es"}).code() == "es_ES");
  CHECK(locales.get("EN").code() == "en");
  CHECK(locales.get("en-gb").code() == "en");
  // A language alone is not a locale with a region.
  CHECK(locales.get("fr").code() == "en_US");
  CHECK(locales.get({"fr", "", "xx", "pt"}).code() == "pt");
  CHECK(locales.get({"*", "-", "_", "pt-", "de"}).code() == "pt");
  CHECK(locales.get({}).code() == "en_US");
}

TEST_CASE("a code is found exactly or not at all", "[locales]") {
  const TemporaryFolder folder;
  write_csv(folder, "pt");
  Locales locales;
  locales.load_translations(folder / "");
  REQUIRE(locales.find("pt"));
  CHECK(locales.find("pt")->translate("language") == "pt");
  CHECK_FALSE(locales.find("pt_BR"));
  CHECK_FALSE(locales.find("PT"));
  CHECK(locales.find("en_US"));
}

TEST_CASE("the folder is that of the last load", "[locales]") {
  const TemporaryFolder folder;
  write_csv(folder, "de");
  Locales locales;
  CHECK(locales.folder().empty());
  locales.load_translations(folder / "");
  CHECK(locales.folder() == folder / "");
}

TEST_CASE("the default locale may be another, and have translations (LOC-01)", "[locales]") {
  const TemporaryFolder folder;
  write_csv(folder, "de");
  Locales locales;
  locales.load_translations(folder / "");
  locales.set_default_locale("de");
  CHECK(codes(locales) == "de ");
  CHECK(locales.get("fr").translate("language") == "de");
  locales.set_default_locale("nl");
  CHECK(codes(locales) == "de nl ");
  CHECK(locales.get("fr").translate("language") == "language");
}

TEST_CASE("files of CSV whose names are not locales are skipped, with an error (LOC-03)", "[locales]") {
  const TemporaryFolder folder;
  for (const char* name : {"de", "pt_BR", "EN", "de_de", "pt-BR", "a.b", "_", "de_"}) write_csv(folder, name);
  folder.file("notes.txt", "not,read\n");
  folder.file(".hidden.csv", "not,read\n");
  Locales locales;
  LogCapture log;
  locales.load_translations(folder / "");
  CHECK(codes(locales) == "de en_US pt_BR ");
  for (const char* name : {"EN", "de_de", "pt-BR", "a.b", "_", "de_"})
    CHECK(log.expect("Unrecognized locale '" + std::string(name) + "' (path: ").level == log::Level::error);
}

TEST_CASE("the encoding is detected for each file (LOC-03)", "[locales]") {
  const TemporaryFolder folder;
  folder.file("de.csv", std::string("\xFF\xFE"
                                    "a\0,\0\xE4\0",
                                    8));
  folder.file("es.csv", "a,ñ\n");
  folder.file("fr.csv",
              "\xEF\xBB\xBF"
              "a,é\n");
  Locales locales;
  locales.load_translations(folder / "");
  CHECK(locales.get("de").translate("a") == "ä");
  CHECK(locales.get("es").translate("a") == "ñ");
  CHECK(locales.get("fr").translate("a") == "é");
}

TEST_CASE("a file of CSV that cannot be used is skipped, with an error", "[locales]") {
  const TemporaryFolder folder;
  write_csv(folder, "de");
  folder.file("es.csv", "a,\xFF\n");
  fs::create_directory(folder / "fr.csv");
  REQUIRE(::mkfifo((folder / "it.csv").c_str(), 0600) == 0);
  fs::create_symlink("missing", folder / "nl.csv");
  std::ofstream(folder / "pl.csv").close();
  fs::resize_file(folder / "pl.csv", Locales::kMostFileSize + 1);
  Locales locales;
  LogCapture log;
  locales.load_translations(folder / "");
  CHECK(codes(locales) == "de en_US ");
  CHECK(
      log.expect("Cannot load the translations of 'es'").message.ends_with("es.csv: the file is not UTF-8"));
  CHECK(log.expect("the translations of 'fr'").message.ends_with("fr.csv: not a regular file"));
  CHECK(log.expect("the translations of 'it'").message.ends_with("it.csv: not a regular file"));
  CHECK(log.expect("the translations of 'nl'").message.ends_with("open: No such file or directory"));
  CHECK(log.expect("the translations of 'pl'").message.ends_with("the file is larger than 67108864 bytes"));
}

TEST_CASE("catalogs of gettext are found by locale and domain (LOC-04)", "[locales]") {
  const TemporaryFolder folder;
  write_mo(folder, "de", mo_file({{"language", "de"}}));
  write_mo(folder, "pt_BR", mo_file({{"language", "pt_BR"}}));
  write_mo(folder, ".git", "");
  folder.file("README", "not a folder");
  Locales locales;
  locales.load_gettext_translations(folder / "", "app");
  CHECK(codes(locales) == "de en_US pt_BR ");
  CHECK(locales.get("pt-br").translate("language") == "pt_BR");
}

TEST_CASE("a catalog of gettext that cannot be used is skipped, with an error (LOC-04)", "[locales]") {
  const TemporaryFolder folder;
  write_mo(folder, "de", mo_file({{"language", "de"}}));
  write_mo(folder, "fr", "not a catalog, but long enough");
  fs::create_directory(folder / "es");
  Locales locales;
  LogCapture log;
  locales.load_gettext_translations(folder / "", "app");
  CHECK(codes(locales) == "de en_US ");
  CHECK(log.expect("the translations of 'fr'").message.ends_with("the file does not begin as a .mo file"));
  const LogCapture::Line line = log.expect("Cannot load the translations of 'es'");
  CHECK(line.level == log::Level::error);
  CHECK(line.message.ends_with("es/LC_MESSAGES/app.mo: open: No such file or directory"));
}

TEST_CASE("a folder that cannot be read is an error, and the translations stay", "[locales]") {
  const TemporaryFolder folder;
  write_csv(folder, "de");
  Locales locales;
  locales.load_translations(folder / "");
  CHECK_THROWS_AS(locales.load_translations(folder / "none"), std::system_error);
  CHECK_THROWS_AS(locales.load_gettext_translations(folder / "de.csv", "app"), std::system_error);
  CHECK(locales.get("de").translate("language") == "de");
}

TEST_CASE("a folder without translations is logged", "[locales]") {
  const TemporaryFolder folder;
  Locales locales;
  LogCapture log;
  locales.load_gettext_translations(folder / "", "app");
  CHECK(log.expect("No translations in ").level == log::Level::warning);
  CHECK(codes(locales) == "en_US ");
}

TEST_CASE("a new set replaces the old one, which stays for those who have it", "[locales]") {
  const TemporaryFolder folder;
  folder.file("de.csv", "a,b\n");
  write_csv(folder, "fr");
  Locales locales;
  locales.load_translations(folder / "");
  const Locale before = locales.get("de");
  folder.file("de.csv", "a,c\n");
  fs::remove(folder / "fr.csv");
  locales.load_translations(folder / "");
  CHECK(before.translate("a") == "b");
  CHECK(locales.get("de").translate("a") == "c");
  CHECK_FALSE(locales.find("fr"));
}

TEST_CASE("several sets of locales do not know of each other", "[locales]") {
  const TemporaryFolder folder;
  write_csv(folder, "de");
  Locales first;
  const Locales second;
  first.load_translations(folder / "");
  CHECK(first.get("de").code() == "de");
  CHECK(second.get("de").code() == "en_US");
}

TEST_CASE("threads load, choose and translate at once", "[locales][threads]") {
  const TemporaryFolder folder;
  folder.file("de.csv", "a,b\nfoxes,Füchse,plural\n");
  Locales locales;
  locales.load_translations(folder / "");
  std::atomic<bool> ends = false;
  std::atomic<int> mistakes = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!ends) {
        const Locale locale = locales.get({"xx", "de-AT"});
        if (locale.translate("a") != "b" || locale.translate("fox", "foxes", 3) != "Füchse") ++mistakes;
        if (locales.supported_locales().size() != 2) ++mistakes;
      }
    });
  }
  std::thread writer([&] {
    for (int i = 0; i < 50; ++i) locales.load_translations(folder / "");
  });
  for (int i = 0; i < 50; ++i) locales.set_default_locale("en_US");
  writer.join();
  ends = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(mistakes == 0);
}

}  // namespace
}  // namespace squall::web::locales_test
