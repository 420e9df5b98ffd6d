#pragma once

#include <squall/ioloop/base/retry_interrupted.h>
#include <squall/ioloop/base/signal_block.h>
#include <squall/ioloop/base/signal_set.h>

#include <signal.h>
#include <sys/types.h>

#include <cerrno>

namespace squall {

inline bool sigpipe_is_pending() noexcept {
  sigset_t pending = signal_set();
  ::sigpending(&pending);
  return contains(pending, SIGPIPE);
}

// Calls `write` as retry_interrupted() does, and returns its result: a count, or -1 and errno. Meanwhile
// SIGPIPE is blocked, and a SIGPIPE of the call is removed: if the reader has gone, the result is EPIPE
// without a signal. Only send() has a flag for this. The kernel sends SIGPIPE to the thread that writes, so
// blocking it in this thread is enough; for systems that send it to the process, see no_sigpipe.h.
//
// Thread:    any.
template <class Write>
ssize_t without_sigpipe(Write&& write) noexcept {
  const sigset_t sigpipe = signal_set({SIGPIPE});
  const SignalBlock block(sigpipe);
  // A blocked SIGPIPE that was pending before the call stays pending.
  const bool is_ours = !contains(block.before(), SIGPIPE) || !sigpipe_is_pending();
  const ssize_t result = retry_interrupted(write);
  if (result < 0 && errno == EPIPE && is_ours && sigpipe_is_pending()) {
    int signal;
    ::sigwait(&sigpipe, &signal);
    errno = EPIPE;
  }
  return result;
}

}  // namespace squall
