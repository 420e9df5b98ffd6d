#pragma once

#include <squall/ioloop/base/owned_fd.h>

namespace squall {

// System calls that make descriptors. All descriptors are close-on-exec. On systems that need a second call
// for that, a process that another thread starts between the two calls inherits the descriptor.
//
// The build selects one of two sources: flags of Linux, or plain POSIX.
//
// Thread:    any.

// A non-blocking socket, on which send_to() raises no SIGPIPE. Empty with errno.
OwnedFd new_socket(int family, int type) noexcept;
// Two non-blocking Unix sockets that are connected. False with errno.
bool new_socket_pair(OwnedFd& one, OwnedFd& other) noexcept;
// The two ends of a pipe, which block. False with errno.
bool new_pipe(OwnedFd& read, OwnedFd& write) noexcept;

}  // namespace squall
