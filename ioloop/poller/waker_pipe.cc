#include <squall/ioloop/poller/waker.h>

#include <squall/ioloop/base/errors.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace squall {
namespace {

// One call could do all this only where there is pipe2(), and most systems that have it have an eventfd too.
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
  // Otherwise it fails only when the pipe is full, and then it is readable as it should be.
  errno = saved;
}

void Waker::drain() const noexcept {
  // A byte a wake-up: mostly one read takes them all. Interrupted, it stays readable, and the next turn comes
  // here again.
  std::array<char, 256> bytes;
  while (::read(read_.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())) {
  }
}

}  // namespace squall
