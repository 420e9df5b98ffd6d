#include <squall/ioloop/reload/folder_notice.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/catch.h"
#include "support/temporary_folder.h"

namespace squall::folder_notice_test {
namespace {

using testing::TemporaryFolder;

bool is_readable(const FolderNotice& notice) {
  pollfd wait{notice.fd(), POLLIN, 0};
  return ::poll(&wait, 1, 0) == 1;
}

TEST_CASE("a change in a folder makes the notice readable, and clear() removes it", "[folder_notice]") {
  const TemporaryFolder folder;
  FolderNotice notice;
  if (notice.fd() < 0) return;  // a system without notices
  REQUIRE(notice.add(folder / ""));
  CHECK_FALSE(is_readable(notice));
  folder.file("page", "text");
  CHECK(is_readable(notice));
  notice.clear();
  CHECK_FALSE(is_readable(notice));
  std::filesystem::rename(folder / "page", folder / "other");
  CHECK(is_readable(notice));
}

TEST_CASE("a folder that does not exist, and a file, give no notices", "[folder_notice]") {
  const TemporaryFolder folder;
  FolderNotice notice;
  CHECK_FALSE(notice.add(folder / "missing"));
  CHECK_FALSE(notice.add(folder.file("page", "text")));
}

TEST_CASE("more notices than the system keeps are a notice too", "[folder_notice]") {
  const TemporaryFolder folder;
  FolderNotice notice;
  if (notice.fd() < 0) return;
  REQUIRE(notice.add(folder / ""));
  int most = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> most;
  if (most == 0 || most > 100'000) return;
  // Two files in turn, because equal notices in sequence count once.
  const OwnedFd files[] = {OwnedFd(::open(folder.file("a", "").c_str(), O_RDWR)),
                           OwnedFd(::open(folder.file("b", "").c_str(), O_RDWR))};
  for (int i = 0; i < most + 10; ++i) REQUIRE(::fchmod(files[i % 2].get(), 0600) == 0);
  CHECK(is_readable(notice));
  notice.clear();
  CHECK_FALSE(is_readable(notice));
  folder.file("page", "text");
  CHECK(is_readable(notice));
}

}  // namespace
}  // namespace squall::folder_notice_test
