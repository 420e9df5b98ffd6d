#pragma once

#include <squall/ioloop/base/callback.h>
#include <squall/ioloop/loop/signal_queue.h>
#include <squall/ioloop/poller/waker.h>

#include <atomic>
#include <mutex>
#include <vector>

namespace squall {

// Callbacks on their way to a loop from other threads and from signal handlers.
//
// Thread:    add() from any; the rest from the loop's own.
// Lifetime:  shared by the loop and its LoopHandles, so that a thread that comes too late finds it closed.
class Inbox {
 public:
  // False once the loop is gone; `callback` is then left to the caller (IOL-05).
  bool add(Callback&& callback);

  // From signal handlers too. False if the queue is full.
  template <class Function>
  bool add_from_signal(Function function) noexcept {
    if (!from_signals_.push(function)) return false;
    waker_.wake();
    return true;
  }
  // Runs what signal handlers have added.
  template <class Run>
  void run_from_signals(Run&& run) {
    from_signals_.drain(std::forward<Run>(run));
  }

  // There may be something to take(). Costs a load.
  bool filled() const noexcept { return filled_.load(std::memory_order_acquire); }
  // Runs and destroys what was there when the call began, in order, and returns how many. `run` is called
  // with each Callback and must not throw.
  template <class Run>
  std::size_t run(Run&& run) {
    take();
    for (Callback& callback : taken_) {
      run(callback);
      callback.reset();
    }
    const std::size_t count = taken_.size();
    taken_.clear();
    if (taken_.capacity() > kKept) taken_ = std::vector<Callback>();
    return count;
  }

  // The loop is about to wait for waker() to become readable: those who add wake it from now on. False if
  // something has been added, and it must not wait.
  bool sleep() noexcept {
    // Either this sees what was added, or whoever added it sees this: both sides write, then read.
    asleep_.store(true, std::memory_order_seq_cst);
    return !filled_.load(std::memory_order_seq_cst);
  }
  // The loop looks at filled() before it waits again, so that nobody need wake it.
  void awake() noexcept { asleep_.store(false, std::memory_order_relaxed); }

  // The loop goes: what is here, and what comes, is destroyed without having run.
  void close();

  const Waker& waker() const noexcept { return waker_; }

 private:
  static constexpr std::size_t kKept = 64 * 1024;  // an emptied vector of more callbacks is given back

  void take();

  std::mutex mutex_;
  std::vector<Callback> added_;
  bool closed_ = false;
  std::atomic<bool> filled_ = false;
  std::atomic<bool> asleep_ = true;
  std::vector<Callback> taken_;  // the loop's: emptied, but kept for its memory
  SignalQueue from_signals_;
  Waker waker_;
};

}  // namespace squall
