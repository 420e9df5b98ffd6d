#pragma once

#include <squall/ioloop/base/retry_interrupted.h>
#include <squall/ioloop/base/signal_block.h>

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

// Calls `write` as retry_interrupted() does, and returns its result: a count, or -1 and errno. SIGPIPE, which
// only send() can be told not to raise, is blocked meanwhile and taken back: a reader that has gone is EPIPE
// and no signal. The kernel sends SIGPIPE to the thread that writes, so blocking it in this thread is enough.
//
// Thread:    any.
template <class Write>
ssize_t without_sigpipe(Write&& write) noexcept {
  sigset_t sigpipe;
  ::sigemptyset(&sigpipe);
  ::sigaddset(&sigpipe, SIGPIPE);
  const SignalBlock block(sigpipe);
  // A SIGPIPE that is pending before the call, which takes a blocked signal, stays pending.
  const bool is_ours = ::sigismember(&block.before(), SIGPIPE) == 0 || !sigpipe_is_pending();
  const ssize_t result = retry_interrupted(write);
  if (result < 0 && errno == EPIPE && is_ours && sigpipe_is_pending()) {
    int signal;
    ::sigwait(&sigpipe, &signal);
    errno = EPIPE;
  }
  return result;
}

}  // namespace squall
