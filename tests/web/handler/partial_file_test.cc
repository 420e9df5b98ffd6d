#include <squall/web/handler/partial_file.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "support/catch.h"
#include "support/temporary_folder.h"

namespace squall::web::partial_file_test {
namespace {

using testing::TemporaryFolder;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("a file that is kept has all bytes", "[partial_file]") {
  const TemporaryFolder folder;
  {
    PartialFile file(folder / "new");
    file.append("one ");
    file.append("");
    file.append("two");
    file.close();
    file.keep();
  }
  CHECK(contents(folder / "new") == "one two");
}

TEST_CASE("a file that is not kept is deleted", "[partial_file]") {
  const TemporaryFolder folder;
  {
    PartialFile file(folder / "new");
    file.append("one");
    CHECK(std::filesystem::exists(folder / "new"));
  }
  CHECK_FALSE(std::filesystem::exists(folder / "new"));
}

TEST_CASE("a file or link that exists is not replaced", "[partial_file]") {
  const TemporaryFolder folder;
  const std::string other = folder.file("other", "before");
  std::filesystem::create_symlink("nowhere", folder / "link");
  CHECK_THROWS_AS(PartialFile(other), std::system_error);
  CHECK_THROWS_AS(PartialFile(folder / "link"), std::system_error);
  CHECK_THROWS_AS(PartialFile(folder / "no/folder"), std::system_error);
  CHECK(contents(other) == "before");
  CHECK_FALSE(std::filesystem::exists(folder / "nowhere"));
}

TEST_CASE("an error has the path", "[partial_file]") {
  const TemporaryFolder folder;
  try {
    PartialFile file(folder / "no/folder");
    FAIL("made");
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::no_such_file_or_directory);
    CHECK(std::string(error.what()).find(folder / "no/folder") != std::string::npos);
  }
}

}  // namespace
}  // namespace squall::web::partial_file_test
