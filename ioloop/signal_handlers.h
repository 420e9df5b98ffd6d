#pragma once

#include <squall/ioloop/callback.h>
#include <squall/ioloop/waker.h>

#include <map>

#include <signal.h>

namespace squall {

// One loop's share of the process's signals. The handler the system calls only notes the signal and wakes
// the loop, which then calls deliver().
//
// Thread:    the loop's thread only.
// Lifetime:  borrows `waker`. Destruction restores what every signal did before.
class SignalHandlers {
 public:
  explicit SignalHandlers(const Waker& waker) noexcept : waker_(waker) {}
  ~SignalHandlers();
  SignalHandlers(const SignalHandlers&) = delete;
  SignalHandlers& operator=(const SignalHandlers&) = delete;

  // Throws std::logic_error if another loop has the signal, std::system_error if the system refuses it.
  void add(int signal, Callback callback);
  void remove(int signal) noexcept;

  // Calls `run` with the callback of every signal that has come since.
  template <class Run>
  void deliver(Run&& run) {
    // A callback may add and remove handlers, so nothing is held while it runs.
    for (int signal = 1; signal < NSIG; ++signal) {
      if (!take_pending(signal)) continue;
      const auto found = handlers_.find(signal);
      if (found == handlers_.end()) continue;
      Callback callback = std::move(found->second.callback);
      run(callback);
      const auto again = handlers_.find(signal);
      if (again != handlers_.end() && !again->second.callback) again->second.callback = std::move(callback);
    }
  }

 private:
  struct Handler {
    Callback callback;
    struct sigaction before;
  };

  bool take_pending(int signal) noexcept;

  const Waker& waker_;
  std::map<int, Handler> handlers_;
};

}  // namespace squall
