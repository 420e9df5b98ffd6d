#include <squall/ioloop/poller/waker.h>

#include <squall/ioloop/base/errors.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace squall {
namespace {

// pipe2() would do this in one call, but most systems that have it have eventfd, too.
void prepare(int fd) {
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) throw_errno("fcntl");
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) throw_errno("fcntl");
}

}  // namespace

Waker::Waker() {
  int ends[2];
  if (::pipe(ends) != 0) throw_errno("pipe");
  read_.reset(ends[0]);
  write_.reset(ends[1]);
  prepare(read_.get());
  prepare(write_.get());
}

void Waker::wake() const noexcept {
  const int saved = errno;
  ssize_t written;
  do {
    written = ::write(write_.get(), "", 1);
  } while (written < 0 && errno == EINTR);
  // Any other failure means that the pipe is full: the descriptor is readable.
  errno = saved;
}

void Waker::drain() const noexcept {
  // One byte for each wake(): mostly one read takes all. If a signal interrupts the read, the descriptor
  // stays readable, and the next turn drains it.
  std::array<char, 256> bytes;
  while (::read(read_.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())) {
  }
}

}  // namespace squall
