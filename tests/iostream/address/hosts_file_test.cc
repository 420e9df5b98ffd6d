#include <squall/iostream/address/hosts_file.h>

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/temporary_folder.h"

namespace squall::hosts_file_test {
namespace {

using testing::TemporaryFolder;

std::string found(HostsFile& hosts, std::string_view name, int family = AF_UNSPEC) {
  std::string text;
  for (const Address& address : hosts.find(name, family)) text += (text.empty() ? "" : " ") + address.ip();
  return text;
}

TEST_CASE("a hosts file gives the addresses of its names", "[hosts_file]") {
  const TemporaryFolder folder;
  HostsFile hosts(folder.file("hosts",
                              "# comment\n"
                              "127.0.0.1\tlocalhost  Alias.Test # more\r\n"
                              "\n"
                              "  ::1 localhost ip6-localhost\n"
                              "::1 localhost\n"
                              "192.0.2.1 a.test. b.test#c.test\n"
                              "010.0.0.1 octal.test\n"
                              "192.0.2.256 malformed.test\n"
                              "192.0.2.3\n"
                              "192.0.2.4 last.test"));
  CHECK(found(hosts, "localhost") == "127.0.0.1 ::1");
  CHECK(found(hosts, "localhost", AF_INET) == "127.0.0.1");
  CHECK(found(hosts, "LOCALHOST.", AF_INET6) == "::1");
  CHECK(found(hosts, "alias.test") == "127.0.0.1");
  CHECK(found(hosts, "a.test") == "192.0.2.1");
  CHECK(found(hosts, "b.test") == "192.0.2.1");
  CHECK(found(hosts, "last.test") == "192.0.2.4");
  for (const char* const name :
       {"", "c.test", "comment", "octal.test", "malformed.test", "127.0.0.1", "test"})
    CHECK(found(hosts, name).empty());
}

TEST_CASE("a hosts file that changes, appears or goes is read again", "[hosts_file]") {
  const TemporaryFolder folder;
  HostsFile hosts(folder / "hosts");
  CHECK(found(hosts, "a.test").empty());
  folder.file("hosts", "192.0.2.1 a.test\n");
  CHECK(found(hosts, "a.test") == "192.0.2.1");
  folder.file("other", "192.0.2.2 a.test\n");
  std::filesystem::rename(folder / "other", folder / "hosts");
  CHECK(found(hosts, "a.test") == "192.0.2.2");
  folder.file("hosts", "192.0.2.2 a.test b.test\n");
  CHECK(found(hosts, "b.test") == "192.0.2.2");
  std::filesystem::remove(folder / "hosts");
  CHECK(found(hosts, "a.test").empty());
}

TEST_CASE("a hosts file of more than kMaxSize is not read, and a folder is none", "[hosts_file]") {
  const TemporaryFolder folder;
  const std::string line = "192.0.2.1 a.test\n";
  HostsFile largest(folder.file("largest", line + std::string(HostsFile::kMaxSize - line.size(), '#')));
  CHECK(found(largest, "a.test") == "192.0.2.1");
  HostsFile larger(folder.file("larger", line + std::string(HostsFile::kMaxSize - line.size() + 1, '#')));
  CHECK(found(larger, "a.test").empty());
  HostsFile no_file(folder / "");
  CHECK(found(no_file, "a.test").empty());
}

}  // namespace
}  // namespace squall::hosts_file_test
