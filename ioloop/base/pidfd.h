#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <sys/types.h>

namespace squall {

// A descriptor that becomes readable when the child process `pid` ends. Empty, with errno, if the system
// has no pidfds (ENOSYS) or refuses the call.
//
// Source: pidfd_open(2), pidfd_send_signal(2).
OwnedFd open_pidfd(pid_t pid) noexcept;
// As kill(), but never signals another process with a reused number. -1 and errno if it fails.
int send_signal_to(const OwnedFd& pidfd, int signal) noexcept;

}  // namespace squall
