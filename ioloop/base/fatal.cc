#include <squall/ioloop/base/fatal.h>

#include <squall/ioloop/base/write_whole.h>

#include <unistd.h>

#include <cstdlib>

namespace squall::detail {

void fail_fast(std::string_view message) noexcept {
  write_whole(STDERR_FILENO, "squall: ");
  write_whole(STDERR_FILENO, message);
  write_whole(STDERR_FILENO, "\n");
  std::abort();
}

}  // namespace squall::detail
