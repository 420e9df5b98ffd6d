#include <squall/ioloop/base/new_fd.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace squall {

OwnedFd new_socket(int family, int type) noexcept {
  return OwnedFd(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

bool new_socket_pair(OwnedFd& one, OwnedFd& other) noexcept {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) return false;
  one.reset(fds[0]);
  other.reset(fds[1]);
  return true;
}

bool new_pipe(OwnedFd& read, OwnedFd& write) noexcept {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return false;
  read.reset(fds[0]);
  write.reset(fds[1]);
  return true;
}

}  // namespace squall
