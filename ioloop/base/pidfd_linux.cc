#include <squall/ioloop/base/pidfd.h>

#include <sys/syscall.h>
#include <unistd.h>

// The numbers are the same on every architecture. glibc has had the functions only since 2.36.
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

namespace squall {

// pidfd_open() sets close-on-exec.
OwnedFd open_pidfd(pid_t pid) noexcept {
  return OwnedFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

int send_signal_to(const OwnedFd& pidfd, pid_t, int signal) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0));
}

}  // namespace squall
