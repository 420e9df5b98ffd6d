#include <squall/web/static/safe_path.h>

#include <string>

#include "support/catch.h"

namespace squall::web::safe_path_test {
namespace {

std::string path_of(std::string_view decoded) { return safe_path(decoded).value_or("refused"); }

TEST_CASE("a path is normalised without the file system (WEB-145)", "[safe_path]") {
  CHECK(path_of("a") == "a");
  CHECK(path_of("a/b.txt") == "a/b.txt");
  CHECK(path_of("./a//b/./c") == "a/b/c");
  CHECK(path_of("a/b/../c") == "a/c");
  CHECK(path_of("a/../b") == "b");
  CHECK(path_of("a/b/../../c/../d") == "d");
  CHECK(path_of("...") == "...");
  CHECK(path_of("..a/b..") == "..a/b..");
  CHECK(path_of("a\\..\\b") == "a\\..\\b");
  CHECK(path_of("%2e%2e/a") == "%2e%2e/a");
}

TEST_CASE("a path that ends with a slash or with dots names a folder", "[safe_path]") {
  CHECK(path_of("").empty());
  CHECK(path_of(".").empty());
  CHECK(path_of("a/..").empty());
  CHECK(path_of("a/") == "a/");
  CHECK(path_of("a/.") == "a/");
  CHECK(path_of("a/b/..") == "a/");
  CHECK(path_of("a//") == "a/");
  CHECK(names_folder(""));
  CHECK(names_folder("a/"));
  CHECK(!names_folder("a"));
}

TEST_CASE("a path that leaves the root is refused, even if it comes back (SEC-50, SEC-51)", "[safe_path]") {
  for (const std::string path : {"..", "../", "../a", "a/../..", "a/../../a", "./..", "a/b/../../../root/c"})
    CHECK(path_of(path) == "refused");
  CHECK(path_of("../root_evil/x") == "refused");
}

TEST_CASE("an absolute path, and a path with a NUL, are refused (SEC-51)", "[safe_path]") {
  for (const std::string path : {"/", "/etc/passwd", "//evil.example/x", "/../x"})
    CHECK(path_of(path) == "refused");
  CHECK(path_of(std::string_view("a.txt\0.png", 10)) == "refused");
  CHECK(path_of(std::string_view("\0", 1)) == "refused");
}

TEST_CASE("a path of many components takes linear time", "[safe_path]") {
  std::string path;
  for (int i = 0; i < 200'000; ++i) path += "a/";
  for (int i = 0; i < 200'000; ++i) path += "../";
  CHECK(path_of(path).empty());
  CHECK(path_of(path + "..") == "refused");
}

}  // namespace
}  // namespace squall::web::safe_path_test
