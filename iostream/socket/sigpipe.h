#pragma once

#include <squall/ioloop/loop/signal_block.h>

#include <signal.h>
#include <sys/types.h>

#include <cerrno>

namespace squall {

inline bool sigpipe_is_pending() noexcept {
  sigset_t pending;
  ::sigemptyset(&pending);
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGPIPE) == 1;
}

// Calls `write`, again after an interruption, and gives what it gave, or -1 and errno. Should it raise
// SIGPIPE, which only send() can be told not to, the signal is taken back. It comes to the thread that
// writes, so what blocks it there is enough.
template <class Write>
ssize_t without_sigpipe(Write&& write) noexcept {
  sigset_t sigpipe;
  ::sigemptyset(&sigpipe);
  ::sigaddset(&sigpipe, SIGPIPE);
  const SignalBlock block(sigpipe);
  // A signal can be pending already only where it was blocked: then it is somebody else's.
  const bool is_ours = ::sigismember(&block.before(), SIGPIPE) == 0 || !sigpipe_is_pending();
  ssize_t result;
  do {
    result = write();
  } while (result < 0 && errno == EINTR);
  if (result < 0 && errno == EPIPE && is_ours && sigpipe_is_pending()) {
    int signal;
    ::sigwait(&sigpipe, &signal);
    errno = EPIPE;
  }
  if (result < 0 && errno == EWOULDBLOCK) errno = EAGAIN;
  return result;
}

}  // namespace squall
