#include <squall/ioloop/base/no_sigpipe.h>

#include <fcntl.h>

namespace squall {

void raise_no_sigpipe(int fd) noexcept { ::fcntl(fd, F_SETNOSIGPIPE, 1); }

}  // namespace squall
