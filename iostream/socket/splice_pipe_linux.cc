#include <squall/ioloop/base/sigpipe.h>
#include <squall/iostream/socket/splice_pipe.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace squall {

ssize_t SplicePipe::fill_from(int socket) noexcept {
  if (!read_) {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
    read_.reset(fds[0]);
    write_.reset(fds[1]);
    // Fails where this user has as much in pipes as allowed: what there is will do.
    ::fcntl(write_.get(), F_SETPIPE_SZ, static_cast<int>(kCapacity));
  }
  ssize_t count;
  do {
    count = ::splice(socket, nullptr, write_.get(), nullptr, kCapacity, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  } while (count < 0 && errno == EINTR);
  if (count > 0) size_ += static_cast<std::size_t>(count);
  return count;
}

ssize_t SplicePipe::drain_to(int socket) noexcept {
  // splice(2) has no MSG_NOSIGNAL.
  const ssize_t count = without_sigpipe([&] {
    return ::splice(read_.get(), nullptr, socket, nullptr, size_, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  });
  if (count > 0) size_ -= static_cast<std::size_t>(count);
  return count;
}

ssize_t SplicePipe::take(std::span<char> space) noexcept {
  ssize_t count;
  do {
    count = ::read(read_.get(), space.data(), space.size());
  } while (count < 0 && errno == EINTR);
  if (count > 0) size_ -= static_cast<std::size_t>(count);
  return count;
}

}  // namespace squall
