#pragma once

#include <squall/ioloop/base/fd_flags.h>
#include <squall/ioloop/base/no_sigpipe.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace squall::detail {

// accept_one() for systems without accept4(). Whether a connection inherits the flags of its listener differs
// between systems.
inline int accept_and_set_flags(int fd, sockaddr* peer, socklen_t* size) noexcept {
  const int connection = ::accept(fd, peer, size);
  if (connection < 0) return connection;
  if (set_close_on_exec(connection) && set_to_nonblocking(connection)) {
    raise_no_sigpipe(connection);
    return connection;
  }
  const int error = errno;
  ::close(connection);
  errno = error;
  return -1;
}

}  // namespace squall::detail
