#include <squall/ioloop/waker.h>

#include <squall/ioloop/errors.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace squall {

Waker::Waker() : read_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!read_) throw_errno("eventfd");
}

void Waker::wake() const noexcept {
  const int saved = errno;
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then it is readable as it should be.
  [[maybe_unused]] const auto written = ::write(write_ ? write_.get() : read_.get(), &one, sizeof one);
  errno = saved;
}

void Waker::drain() const noexcept {
  std::uint64_t count;
  [[maybe_unused]] const auto got = ::read(read_.get(), &count, sizeof count);
}

}  // namespace squall
