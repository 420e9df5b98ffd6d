#include <squall/options/read_config_file.h>

#include <squall/options/error.h>

#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include "support/catch.h"
#include "support/temporary_folder.h"

namespace squall::options::read_config_file_test {
namespace {

using testing::TemporaryFolder;

TEST_CASE("a file is read, and its variables are absolute paths (OPT-09)", "[options]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("shop.conf", "pages = ${config_dir}\nself = ${config_file}\n");
  const auto entries = read_config_file(path);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].values[0] + "/shop.conf" == path);
  CHECK(entries[1].values[0] == path);
  const std::string relative = std::filesystem::relative(path).string();
  CHECK(read_config_file(relative)[1].values[0] == std::filesystem::current_path().string() + "/" + relative);
}

TEST_CASE("a file that cannot be read is an error that says why", "[options]") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(read_config_file("/no/such"),
                    "cannot read the config file '/no/such': No such file or directory");
  CHECK_THROWS_WITH(read_config_file(folder / ""),
                    "cannot read the config file '" + (folder / "") + "': Is a directory");
}

TEST_CASE("a file of more than 1 MiB is refused", "[options]") {
  const TemporaryFolder folder;
  const std::string most(std::size_t{1024} * 1024, '\n');
  CHECK(read_config_file(folder.file("a", most)).empty());
  CHECK_THROWS_WITH(read_config_file(folder.file("b", most + "\n")),
                    "cannot read the config file '" + (folder / "b") + "': File too large");
}

}  // namespace
}  // namespace squall::options::read_config_file_test
