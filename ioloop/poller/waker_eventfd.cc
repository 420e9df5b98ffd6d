#include <squall/ioloop/poller/waker.h>

#include <squall/ioloop/base/errors.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace squall {

Waker::Waker() : read_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!read_) throw_errno("eventfd");
}

void Waker::wake() const noexcept {
  const int saved = errno;
  const std::uint64_t one = 1;
  ssize_t written;
  do {
    written = ::write(write_ ? write_.get() : read_.get(), &one, sizeof one);
  } while (written < 0 && errno == EINTR);
  // Any other failure means that the counter is full: the descriptor is readable.
  errno = saved;
}

void Waker::drain() const noexcept {
  // If a signal interrupts the read, the descriptor stays readable, and the next turn drains it.
  std::uint64_t count;
  [[maybe_unused]] const auto got = ::read(read_.get(), &count, sizeof count);
}

}  // namespace squall
