#include <squall/ioloop/base/write_whole.h>

#include <squall/ioloop/base/no_sigpipe.h>
#include <squall/ioloop/base/sigpipe.h>

#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace squall {

int write_whole(int fd, std::string_view text) noexcept {
  raise_no_sigpipe(fd);
  while (!text.empty()) {
    const ssize_t written = without_sigpipe([&] { return ::write(fd, text.data(), text.size()); });
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace squall
