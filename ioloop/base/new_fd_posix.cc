#include <squall/ioloop/base/fd_flags.h>
#include <squall/ioloop/base/new_fd.h>
#include <squall/ioloop/base/no_sigpipe.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace squall {
namespace {

// Closes the descriptor, keeps errno.
bool give_up(OwnedFd& fd) noexcept {
  const int error = errno;
  fd.reset();
  errno = error;
  return false;
}

bool prepare_socket(OwnedFd& fd) noexcept {
  if (!set_close_on_exec(fd.get()) || !set_to_nonblocking(fd.get())) return give_up(fd);
  raise_no_sigpipe(fd.get());
  return true;
}

}  // namespace

OwnedFd new_socket(int family, int type) noexcept {
  OwnedFd fd(::socket(family, type, 0));
  if (fd) prepare_socket(fd);
  return fd;
}

bool new_socket_pair(OwnedFd& one, OwnedFd& other) noexcept {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) return false;
  one.reset(fds[0]);
  other.reset(fds[1]);
  return (prepare_socket(one) && prepare_socket(other)) || (give_up(one) || give_up(other));
}

bool new_pipe(OwnedFd& read, OwnedFd& write) noexcept {
  int fds[2];
  if (::pipe(fds) != 0) return false;
  read.reset(fds[0]);
  write.reset(fds[1]);
  return (set_close_on_exec(fds[0]) && set_close_on_exec(fds[1])) || (give_up(read) || give_up(write));
}

}  // namespace squall
