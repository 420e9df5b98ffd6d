#include <squall/ioloop/base/retry_interrupted.h>
#include <squall/web/static/open_by_kernel.h>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace squall::web {

int folder_flags() noexcept { return O_PATH | O_DIRECTORY | O_CLOEXEC; }

int open_by_kernel(int root, const char* path, int flags) noexcept {
  open_how how{};
  how.flags = static_cast<unsigned>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(
      retry_interrupted([&] { return ::syscall(SYS_openat2, root, path, &how, sizeof how); }));
}

}  // namespace squall::web
