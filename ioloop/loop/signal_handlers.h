#pragma once

#include <squall/ioloop/base/callback.h>
#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/poller/waker.h>

#include <signal.h>

#include <cstdint>
#include <map>
#include <utility>

namespace squall {

class SignalAwaiter;

// The signals that one loop handles. The handler that the system calls only records the signal and wakes the
// loop, which then calls deliver().
//
// Thread:    the loop's thread only.
// Lifetime:  borrows `waker`. The destructor restores the previous action of every signal.
class SignalHandlers {
 public:
  explicit SignalHandlers(const Waker& waker) noexcept : waker_(waker) {}
  ~SignalHandlers();
  SignalHandlers(const SignalHandlers&) = delete;
  SignalHandlers& operator=(const SignalHandlers&) = delete;

  // Throws std::logic_error if another loop has the signal, std::system_error if the system refuses it.
  void add(int signal, Callback callback);
  // The loop keeps handling the signal if a task waits for it.
  void remove(int signal) noexcept;

  // For SignalAwaiter. Signals are bits of a mask.
  static constexpr bool valid(int signal) noexcept { return signal > 0 && signal < NSIG && signal <= 64; }
  static constexpr std::uint64_t bit(int signal) noexcept { return std::uint64_t{1} << (signal - 1); }
  // Starts to handle the signals, as add() does. Returns a signal that arrived while no task waited, or 0.
  int claim(std::uint64_t signals);
  void wait(SignalAwaiter& awaiter) noexcept;

  // Calls `run` with the callback of every signal that has arrived since the last call.
  template <class Run>
  void deliver(Run&& run) {
    // A callback may add and remove handlers, so no iterator is held while it runs.
    for (int signal = 1; signal < NSIG; ++signal) {
      if (!take_pending(signal)) continue;
      const auto found = handlers_.find(signal);
      if (found == handlers_.end()) continue;
      const bool woken = wake(signal);
      if (!found->second.callback) {
        found->second.kept = !woken;
        continue;
      }
      Callback callback = std::move(found->second.callback);
      run(callback);
      const auto again = handlers_.find(signal);
      if (again != handlers_.end() && !again->second.callback) again->second.callback = std::move(callback);
    }
  }

 private:
  struct Handler {
    Callback callback;  // empty if only tasks wait for the signal
    struct sigaction before;
    bool kept = false;  // arrived while no task waited
  };

  void take_over(int signal);
  void give_back(int signal) noexcept;
  bool take_pending(int signal) noexcept;
  bool wake(int signal);

  const Waker& waker_;
  std::map<int, Handler> handlers_;
  IntrusiveList<SignalAwaiter> waiting_;
};

}  // namespace squall
