#include <squall/ioloop/reload/folder_notice.h>

#include <sys/inotify.h>
#include <unistd.h>

#include <array>

namespace squall {

FolderNotice::FolderNotice() noexcept : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

bool FolderNotice::add(const std::string& folder) noexcept {
  constexpr unsigned kChanges = IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_DELETE_SELF |
                                IN_MODIFY | IN_MOVE_SELF | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;
  return fd_ && ::inotify_add_watch(fd_.get(), folder.c_str(), kChanges) >= 0;
}

void FolderNotice::clear() noexcept {
  std::array<char, 16 * 1024> notices;
  while (fd_ && ::read(fd_.get(), notices.data(), notices.size()) > 0) {
  }
}

}  // namespace squall
