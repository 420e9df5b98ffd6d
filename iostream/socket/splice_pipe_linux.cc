#include <squall/iostream/socket/splice_pipe.h>

#include <squall/ioloop/base/retry_interrupted.h>
#include <squall/ioloop/base/sigpipe.h>

#include <fcntl.h>
#include <unistd.h>

namespace squall {

ssize_t SplicePipe::fill_from(int socket) noexcept {
  if (!read_) {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
    read_.reset(fds[0]);
    write_.reset(fds[1]);
    // May fail at the user's limit of pipe memory; the default capacity suffices.
    ::fcntl(write_.get(), F_SETPIPE_SZ, static_cast<int>(kCapacity));
  }
  const ssize_t count = retry_interrupted([&] {
    return ::splice(socket, nullptr, write_.get(), nullptr, kCapacity, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  });
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
  const ssize_t count = retry_interrupted([&] { return ::read(read_.get(), space.data(), space.size()); });
  if (count > 0) size_ -= static_cast<std::size_t>(count);
  return count;
}

}  // namespace squall
