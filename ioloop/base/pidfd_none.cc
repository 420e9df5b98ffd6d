#include <squall/ioloop/base/pidfd.h>

#include <cerrno>

namespace squall {

OwnedFd open_pidfd(pid_t) noexcept {
  errno = ENOSYS;
  return OwnedFd();
}

int send_signal_to(const OwnedFd&, pid_t, int) noexcept {
  errno = ENOSYS;
  return -1;
}

}  // namespace squall
