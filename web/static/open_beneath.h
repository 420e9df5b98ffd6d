#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace squall::web {

// The result of open_beneath().
struct OpenedFile {
  enum class Outcome : std::uint8_t {
    file,  // a regular file
    folder,
    forbidden,  // 403: the path leads out of the root, there is no permission, or it is another kind of file
    not_found,  // 404
  };
  Outcome outcome = Outcome::not_found;
  OwnedFd fd;            // for reading; of a file or a folder
  struct stat status{};  // of a file or a folder
};

// Opens `path`, which safe_path() returned, beneath the folder `root`. Symbolic links are followed as long as
// they stay beneath the root; an absolute link leaves it. A link that is replaced during the call cannot lead
// out of the root. The root itself may be a link.
//
// Errors:    throws std::system_error if the root cannot be opened, the descriptors are exhausted, or the
//            file system fails.
// Source:    openat2(2) with RESOLVE_BENEATH. Where the system lacks it, or refuses it, each component is
//            opened by itself: open_by_components().
OpenedFile open_beneath(const std::string& root, const std::string& path);

}  // namespace squall::web
