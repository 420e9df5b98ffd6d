#pragma once

#include <fcntl.h>

namespace squall {

// Flags of a descriptor, for systems that cannot set them in the call that makes it. False with errno.
//
// Thread:    any.
inline bool set_close_on_exec(int fd) noexcept { return ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0; }

inline bool set_to_nonblocking(int fd) noexcept {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && ((flags & O_NONBLOCK) || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
}

}  // namespace squall
