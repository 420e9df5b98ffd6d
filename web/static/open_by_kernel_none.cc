#include <squall/web/static/open_by_kernel.h>

#include <cerrno>

namespace squall::web {

int open_by_kernel(int, const char*, int) noexcept {
  errno = ENOSYS;
  return -1;
}

}  // namespace squall::web
