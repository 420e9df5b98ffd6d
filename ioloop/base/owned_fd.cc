#include <squall/ioloop/base/owned_fd.h>

#include <unistd.h>

namespace squall {

void OwnedFd::reset(int fd) noexcept {
  const int old = std::exchange(fd_, fd);
  // Not retried on EINTR: Linux has closed the descriptor, and a second close could hit a new descriptor of
  // the same number.
  if (old >= 0) ::close(old);
}

}  // namespace squall
