#include <squall/ioloop/reload/program_image.h>

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "support/catch.h"
#include "support/platform.h"
#include "support/temporary_folder.h"

namespace squall::program_image_test {
namespace {

using testing::TemporaryFolder;

TEST_CASE("the image of this process has its path, its arguments and the environment of its start (ARL-05)",
          "[program_image]") {
  ::setenv("SQUALL_TEST_SET_LATER", "1", 1);
  const ProgramImage image = ProgramImage::of_this_process();
  ::unsetenv("SQUALL_TEST_SET_LATER");
  if (image.path.empty()) return;  // a system that does not tell it
  CHECK(obstacle_to_execution(image.path).empty());
  CHECK_FALSE(is_replaced(image.path));
  CHECK(is_replaced("/dev/null"));
  REQUIRE_FALSE(image.arguments.empty());
  CHECK(std::filesystem::path(image.path).filename() == std::filesystem::path(image.arguments[0]).filename());
  const auto starts_with = [&](const std::string& text) {
    return std::any_of(image.environment.begin(), image.environment.end(),
                       [&](const std::string& variable) { return variable.starts_with(text); });
  };
  CHECK(starts_with("PATH="));
  CHECK_FALSE(starts_with("SQUALL_TEST_SET_LATER"));
}

TEST_CASE("a program that is missing, empty, not executable or open for writing cannot run yet",
          "[program_image]") {
  const TemporaryFolder folder;
  const std::string path = folder / "program";
  CHECK(obstacle_to_execution(path) == "No such file or directory");
  CHECK(obstacle_to_execution(folder / "") == "it is not a file");
  folder.file("program", "");
  CHECK(obstacle_to_execution(path) == "it is empty");
  std::optional<std::ofstream> linker(std::in_place, path);
  *linker << "#!/bin/sh\n" << std::flush;
  CHECK(obstacle_to_execution(path) == "it is not executable");
  REQUIRE(::chmod(path.c_str(), 0700) == 0);
  if (testing::kHasProgramImage) CHECK(obstacle_to_execution(path) == "it is open for writing");
  linker.reset();
  CHECK(obstacle_to_execution(path).empty());
}

TEST_CASE("a library that is missing, empty or open for writing cannot be loaded yet", "[program_image]") {
  const TemporaryFolder folder;
  const std::string path = folder / "library.so";
  CHECK(obstacle_to_loading(path) == "No such file or directory");
  folder.file("library.so", "");
  CHECK(obstacle_to_loading(path) == "it is empty");
  std::optional<std::ofstream> linker(std::in_place, path);
  *linker << "one" << std::flush;
  if (testing::kHasProgramImage) CHECK(obstacle_to_loading(path) == "it is open for writing");
  linker.reset();
  CHECK(obstacle_to_loading(path).empty());
}

}  // namespace
}  // namespace squall::program_image_test
