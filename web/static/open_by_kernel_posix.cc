#include <squall/web/static/open_by_kernel.h>

#include <fcntl.h>

#include <cerrno>

namespace squall::web {

int folder_flags() noexcept {
#ifdef O_SEARCH
  constexpr int kAccess = O_SEARCH;
#else
  constexpr int kAccess = O_RDONLY;
#endif
  return kAccess | O_DIRECTORY | O_CLOEXEC;
}

int open_by_kernel(int, const char*, int) noexcept {
  errno = ENOSYS;
  return -1;
}

}  // namespace squall::web
