#pragma once

#include <squall/ioloop/base/owned_fd.h>

#include <sys/types.h>

namespace squall {

// A descriptor that becomes readable when the child process `pid` ends: a pidfd of Linux, or a kqueue with
// EVFILT_PROC. Empty, with errno, if the system has neither (ENOSYS) or refuses the call.
//
// Source: pidfd_open(2), pidfd_send_signal(2) of Linux; kqueue(2) of the BSDs and macOS.
OwnedFd open_pidfd(pid_t pid) noexcept;
// As kill(), but does not signal another process with a reused number: ESRCH if the child has ended. -1 and
// errno if it fails.
int send_signal_to(const OwnedFd& pidfd, pid_t pid, int signal) noexcept;

}  // namespace squall
