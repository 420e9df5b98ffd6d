#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <sys/types.h>

namespace squall {

// A descriptor that becomes readable when the child process `pid` ends. None, and errno, where the system has
// no such thing (ENOSYS) or does not let us have one.
OwnedFd open_pidfd(pid_t pid) noexcept;
// kill() that cannot hit a process that took the number over. -1 and errno if it fails.
int send_signal_to(const OwnedFd& pidfd, int signal) noexcept;

}  // namespace squall
