#include <squall/iostream/socket/pipe.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/new_fd.h>
#include <squall/ioloop/base/no_sigpipe.h>
#include <squall/ioloop/base/retry_interrupted.h>
#include <squall/ioloop/base/sigpipe.h>
#include <squall/iostream/socket/io_vectors.h>
#include <squall/iostream/socket/socket.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

namespace squall {

Pipe make_pipe() {
  Pipe pipe;
  if (!new_pipe(pipe.read, pipe.write)) throw_errno("pipe");
  return pipe;
}

Channel open_channel(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) throw_errno("fstat");
  if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))
    throw std::invalid_argument("a stream needs a descriptor that a poller can wait for, not a file on disk");
  const int flags = set_nonblocking(fd);
  raise_no_sigpipe(fd);
  if (S_ISSOCK(status.st_mode)) return Channel::socket;
  switch (flags & O_ACCMODE) {
    case O_RDONLY: return Channel::read_end;
    case O_WRONLY: return Channel::write_end;
    default: return Channel::duplex;
  }
}

ssize_t read_from(int fd, std::span<char> space) noexcept {
  return retry_interrupted([&] { return ::read(fd, space.data(), space.size()); });
}

ssize_t write_to(int fd, std::span<const std::string_view> pieces) noexcept {
  const IoVectors vectors(pieces);
  return without_sigpipe([&] { return ::writev(fd, vectors.data(), vectors.count()); });
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
