#include <squall/web/static/precompressed.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "support/catch.h"
#include "support/temporary_folder.h"

namespace squall::web::precompressed_test {
namespace {

void set_modified(const std::string& path, std::time_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 500}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

TEST_CASE("a sibling counts if it is a file that is not older than the original", "[precompressed]") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("a.js", "original");
  set_modified(path, 1000);
  FileIdentity identity;
  identity.modified = {1000, 999'999};
  CHECK(find_siblings(path, identity).none());
  set_modified(folder.file("a.js.br", "br"), 1000);
  set_modified(folder.file("a.js.gz", "gz"), 999);
  std::filesystem::create_directory(folder / "a.js.zst");
  CHECK(find_siblings(path, identity).to_string() == "001");
  set_modified(folder / "a.js.gz", 1001);
  CHECK(find_siblings(path, identity).to_string() == "101");
}

std::string chosen(const std::string& siblings, std::optional<std::string_view> accept) {
  const auto index = choose_sibling(Siblings(siblings), accept);
  return index ? std::string(kPrecompressions[*index].coding) : "identity";
}

TEST_CASE("the client's preference decides among the siblings (RFC 9110, 12.5.3)", "[precompressed]") {
  CHECK(chosen("111", "gzip, deflate, br, zstd") == "br");
  CHECK(chosen("110", "gzip, br, zstd") == "zstd");
  CHECK(chosen("100", "gzip, br, zstd") == "gzip");
  CHECK(chosen("111", "br;q=0.5, gzip") == "gzip");
  CHECK(chosen("111", "br;q=0, gzip;q=0.1") == "gzip");
  CHECK(chosen("111", "*") == "br");
  CHECK(chosen("111", "identity, gzip;q=0.5") == "identity");
  CHECK(chosen("111", "gzip;q=0") == "identity");
  CHECK(chosen("010", "gzip, br") == "identity");
  CHECK(chosen("000", "gzip, br") == "identity");
  CHECK(chosen("111", "") == "identity");
  CHECK(chosen("111", std::nullopt) == "identity");
  CHECK(chosen("001", "identity;q=0, gzip") == "identity");
}

}  // namespace
}  // namespace squall::web::precompressed_test
