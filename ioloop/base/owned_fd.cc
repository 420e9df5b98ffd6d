#include <squall/ioloop/base/owned_fd.h>

#include <unistd.h>

namespace squall {

void OwnedFd::reset(int fd) noexcept {
  const int old = std::exchange(fd_, fd);
  // Not retried on EINTR: Linux has released the number by then, and closing it again could hit a new owner.
  if (old >= 0) ::close(old);
}

}  // namespace squall
