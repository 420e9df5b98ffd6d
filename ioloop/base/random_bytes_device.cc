#include <squall/ioloop/base/random_bytes.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/base/retry_interrupted.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace squall {

// POSIX.1-2008 has no generator, but every system has this device.
void detail::fill_randomly(char* space, std::size_t size) {
  const OwnedFd device(
      static_cast<int>(retry_interrupted([] { return ::open("/dev/urandom", O_RDONLY | O_CLOEXEC); })));
  if (!device) throw_errno("/dev/urandom");
  while (size > 0) {
    const ssize_t count = retry_interrupted([&] { return ::read(device.get(), space, size); });
    if (count < 0) throw_errno("/dev/urandom");
    if (count == 0) throw std::system_error(EIO, std::generic_category(), "/dev/urandom");
    space += count;
    size -= static_cast<std::size_t>(count);
  }
}

}  // namespace squall
