#include <squall/web/template/template_loader.h>

#include <squall/web/template/folder_templates.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.h"
#include "support/temporary_folder.h"

namespace squall::web::template_loader_test {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

void write_file(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

TEST_CASE("names are relative to the folder of their file, and do not leave the root (TPL-29)",
          "[template_loader]") {
  CHECK(detail::resolve_template_name("a.html", "") == "a.html");
  CHECK(detail::resolve_template_name("a.html", "<string>") == "a.html");
  CHECK(detail::resolve_template_name("b.html", "dir/a.html") == "dir/b.html");
  CHECK(detail::resolve_template_name("../b.html", "dir/a.html") == "b.html");
  CHECK(detail::resolve_template_name("/b.html", "dir/a.html") == "b.html");
  CHECK(detail::resolve_template_name("./x//y/../b.html", "") == "x/b.html");
  for (const char* name : {"../a", "/../a", "x/../../a", "..", "", "/", ".", "x/.."})
    CHECK_THROWS_AS(detail::resolve_template_name(name, ""), TemplateNotFoundError);
  CHECK_THROWS_AS(detail::resolve_template_name("../../a", "dir/b"), TemplateNotFoundError);
  CHECK_THROWS_AS(detail::resolve_template_name(std::string_view("a\0b", 3), ""), TemplateNotFoundError);
}

TEST_CASE("templates of a folder are loaded once", "[template_loader]") {
  const TemporaryFolder folder;
  write_file(fs::path((folder / "")) / "dir/a.html", "{% include b.html %}{% include /c.html %}");
  write_file(fs::path((folder / "")) / "dir/b.html", "b");
  write_file(fs::path((folder / "")) / "c.html", "c1");
  TemplateLoader loader((folder / ""));
  const auto page = loader.load("dir/a.html");
  CHECK(page->generate() == "bc1");
  CHECK(loader.load("/c.html", "dir/a.html")->generate() == "c1");
  write_file(fs::path((folder / "")) / "c.html", "changed");
  CHECK(loader.load("dir/a.html") == page);
  loader.reset();
  CHECK(loader.load("dir/a.html")->generate() == "bchanged");
  CHECK(page->generate() == "bc1");
  CHECK_THROWS_AS(loader.load("none.html"), TemplateNotFoundError);
  CHECK_THROWS_WITH(loader.load("none.html"),
                    "there is no template 'none.html' in the folder '" + (folder / "") + "'");
  CHECK_THROWS_AS(loader.load("dir"), TemplateNotFoundError);
  CHECK_THROWS_AS(loader.load("../x"), TemplateNotFoundError);
}

TEST_CASE("a loader for development notices changes of every file of a template", "[template_loader]") {
  const TemporaryFolder folder;
  const fs::path root = (folder / "");
  write_file(root / "a", "{% include b %}");
  write_file(root / "b", "1");
  TemplateLoader loader((folder / ""), {}, TemplateChanges::noticed);
  const auto page = loader.load("a");
  CHECK(page->generate() == "1");
  CHECK(loader.load("a") == page);
  write_file(root / "b", "longer");
  CHECK(loader.load("a")->generate() == "longer");
  write_file(root / "b", "{{");
  CHECK_THROWS_AS(loader.load("a"), TemplateParseError);
  write_file(root / "b", "mended");
  CHECK(loader.load("a")->generate() == "mended");
  fs::remove(root / "b");
  CHECK_THROWS_AS(loader.load("a"), TemplateParseError);
}

TEST_CASE("links within the folder are followed, and those out of it are not", "[template_loader]") {
  const TemporaryFolder folder;
  const TemporaryFolder outside;
  const fs::path root = (folder / "");
  write_file(root / "real/a", "a");
  write_file(fs::path((outside / "")) / "secret", "secret");
  fs::create_symlink("real/a", root / "link");
  fs::create_symlink(fs::path(outside / ""), root / "out");
  fs::create_symlink(fs::path((outside / "")) / "secret", root / "file");
  fs::create_symlink("loop", root / "loop");
  TemplateLoader loader((folder / ""));
  CHECK(loader.load("link")->generate() == "a");
  for (const char* name : {"out/secret", "file", "loop"})
    CHECK_THROWS_AS(loader.load(name), TemplateNotFoundError);
}

TEST_CASE("embedded templates are found by name", "[template_loader]") {
  static constexpr std::array<EmbeddedTemplate, 3> kFiles = {
      {{"a", "{% include b/c %}"}, {"b/c", "c"}, {"d", "d"}}};
  TemplateLoader loader(std::make_unique<EmbeddedTemplates>(kFiles));
  CHECK(loader.load("a")->generate() == "c");
  CHECK_THROWS_AS(loader.load("c"), TemplateNotFoundError);
}

TEST_CASE("threads load and render the same templates (TPL-30)", "[template_loader][threads]") {
  TemplateLoader loader(std::make_unique<MapTemplates>(std::map<std::string, std::string>{
      {"a", "{% for i in range(100) %}{{ x }}{% include b %}{% end %}"}, {"b", "{{ x }}"}}));
  std::vector<std::thread> threads;
  std::vector<std::string> results(4);
  for (std::size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int turn = 0; turn < 20; ++turn) {
        results[i] = loader.load("a")->generate({{"x", static_cast<int>(i)}});
        if (turn % 7 == 0) loader.reset();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < results.size(); ++i)
    CHECK(results[i] == std::string(200, static_cast<char>('0' + i)));
}

}  // namespace
}  // namespace squall::web::template_loader_test
