#include <squall/ioloop/base/write_whole.h>

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace squall {

// Writing to a pipe or socket whose reader has gone raises SIGPIPE, which must not end the program because of
// its log: this thread blocks the signal meanwhile, and takes back the one it has caused.
int write_whole(int fd, std::string_view text) noexcept {
  sigset_t sigpipe;
  ::sigemptyset(&sigpipe);
  ::sigaddset(&sigpipe, SIGPIPE);
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
  int error = 0;
  while (!text.empty() && error == 0) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == EPIPE && ::sigismember(&before, SIGPIPE) == 0) {
    sigset_t pending;
    int taken;
    if (::sigpending(&pending) == 0 && ::sigismember(&pending, SIGPIPE) == 1) ::sigwait(&sigpipe, &taken);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return error;
}

}  // namespace squall
