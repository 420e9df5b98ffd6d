#include <squall/iostream/pipe.h>

#include <squall/ioloop/errors.h>
#include <squall/ioloop/signal_block.h>
#include <squall/iostream/socket.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <stdexcept>

namespace squall {
namespace {

sigset_t only_sigpipe() noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPIPE);
  return set;
}

bool sigpipe_is_pending() noexcept {
  sigset_t pending;
  ::sigemptyset(&pending);
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGPIPE) == 1;
}

// Calls `write`; should it raise SIGPIPE, which only sockets can be told not to, the signal is taken back. It
// comes to the thread that writes, so what blocks it there is enough.
template <class Write>
ssize_t without_sigpipe(Write&& write) noexcept {
  static const sigset_t sigpipe = only_sigpipe();
  const SignalBlock block(sigpipe);
  // A signal can be pending already only where it was blocked: then it is somebody else's.
  const bool is_ours = ::sigismember(&block.before(), SIGPIPE) == 0 || !sigpipe_is_pending();
  ssize_t result;
  do {
    result = write();
  } while (result < 0 && errno == EINTR);
  if (result < 0 && errno == EPIPE && is_ours && sigpipe_is_pending()) {
    int signal;
    ::sigwait(&sigpipe, &signal);
    errno = EPIPE;
  }
  if (result < 0 && errno == EWOULDBLOCK) errno = EAGAIN;
  return result;
}

}  // namespace

Pipe make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) throw_errno("pipe2");
  return {OwnedFd(fds[0]), OwnedFd(fds[1])};
}

Channel open_channel(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) throw_errno("fstat");
  if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))
    throw std::invalid_argument("a stream needs a descriptor that can be waited for, not a file on disk");
  const int flags = set_nonblocking(fd);
  if (S_ISSOCK(status.st_mode)) return Channel::socket;
  switch (flags & O_ACCMODE) {
    case O_RDONLY: return Channel::read_end;
    case O_WRONLY: return Channel::write_end;
    default: return Channel::duplex;
  }
}

ssize_t read_from(int fd, std::span<char> space) noexcept {
  ssize_t result;
  do {
    result = ::read(fd, space.data(), space.size());
  } while (result < 0 && errno == EINTR);
  if (result < 0 && errno == EWOULDBLOCK) errno = EAGAIN;
  return result;
}

ssize_t write_to(int fd, std::string_view first, std::string_view second) noexcept {
  const iovec pieces[2] = {{const_cast<char*>(first.data()), first.size()},
                           {const_cast<char*>(second.data()), second.size()}};
  return without_sigpipe([&] { return ::writev(fd, pieces, second.empty() ? 1 : 2); });
}

ssize_t look_at(int fd) noexcept {
  pollfd state{fd, POLLIN, 0};
  if (::poll(&state, 1, 0) < 0) return -1;
  if (state.revents & POLLIN) return 1;
  if (state.revents & (POLLHUP | POLLERR)) return 0;
  errno = EAGAIN;
  return -1;
}

}  // namespace squall
