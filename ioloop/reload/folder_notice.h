#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <string>

namespace squall {

// The system's notices of changes in folders, as a hint when to look at files. A notice has no content:
// the files tell what has changed, so a queue of notices that overflows loses nothing.
//
// The build selects one of two sources: inotify, or a system without notices, where fd() is -1.
//
// Source:    inotify(7).
class FolderNotice {
 public:
  // No notices if the system has none left for this user.
  FolderNotice() noexcept;

  // Readable when there are notices; -1 without any.
  int fd() const noexcept { return fd_.get(); }
  // Watches the entries of a folder, but not of the folders in it. May be repeated. False if the system gives
  // no notices of this folder, for example because there is no such folder.
  bool add(const std::string& folder) noexcept;
  // Removes the notices that wait.
  void clear() noexcept;

 private:
  OwnedFd fd_;
};

}  // namespace squall
