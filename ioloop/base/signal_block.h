#pragma once

#include <signal.h>

namespace squall {

// Blocks signals in this thread until it is destroyed. A signal that arrives meanwhile stays pending.
class SignalBlock {
 public:
  explicit SignalBlock(const sigset_t& signals) noexcept
      : has_blocked_(::pthread_sigmask(SIG_BLOCK, &signals, &before_) == 0) {}
  ~SignalBlock() {
    if (has_blocked_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;

  // The signals that were blocked before.
  const sigset_t& before() const noexcept { return before_; }

 private:
  sigset_t before_{};
  bool has_blocked_;
};

}  // namespace squall
