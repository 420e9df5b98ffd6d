#include <squall/iostream/socket/splice_pipe.h>

#include <cerrno>

namespace squall {
namespace {

ssize_t cannot() noexcept {
  errno = EINVAL;
  return -1;
}

}  // namespace

ssize_t SplicePipe::fill_from(int) noexcept { return cannot(); }
ssize_t SplicePipe::drain_to(int) noexcept { return cannot(); }
ssize_t SplicePipe::take(std::span<char>) noexcept { return cannot(); }

}  // namespace squall
