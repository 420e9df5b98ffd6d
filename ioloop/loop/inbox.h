#pragma once

#include <squall/ioloop/base/callback.h>
#include <squall/ioloop/loop/signal_queue.h>
#include <squall/ioloop/poller/waker.h>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace squall {

// The callbacks that other threads and signal handlers have added to a loop.
//
// Thread:    add() from any; other functions from the loop's thread.
// Lifetime:  shared by the loop and its LoopHandles, so that a thread that outlives the loop finds it closed.
class Inbox {
 public:
  // False once the loop is gone; the caller then keeps `callback` (IOL-05).
  bool add(Callback&& callback);

  // May be called from signal handlers. False if the queue is full.
  template <class Function>
  bool add_from_signal(Function function) noexcept {
    if (!from_signals_.push(function)) return false;
    waker_.wake();
    return true;
  }
  // Runs the functions that signal handlers have added.
  template <class Run>
  void run_from_signals(Run&& run) {
    from_signals_.drain(std::forward<Run>(run));
  }

  // Whether there may be callbacks to run. Costs one load.
  bool filled() const noexcept { return filled_.load(std::memory_order_acquire); }
  // Runs and destroys the callbacks that were added before the call, in order, and returns their number.
  // `run` is called with each Callback and must not throw. If it returns false, the next call runs those that
  // are left, and no others.
  template <class Run>
  std::size_t run(Run&& run) {
    const std::size_t begin = next_;
    if (begin == 0) take();
    bool goes_on = true;
    while (goes_on && next_ < taken_.size()) {
      Callback& callback = taken_[next_++];
      goes_on = run(callback);
      callback.reset();
    }
    const std::size_t count = next_ - begin;
    if (next_ < taken_.size()) {
      filled_.store(true, std::memory_order_relaxed);
      return count;
    }
    // If this was not the first call for them, filled() stays true, as callbacks may have been added since.
    taken_.clear();
    next_ = 0;
    if (taken_.capacity() > kKept) taken_ = std::vector<Callback>();
    return count;
  }

  // Call it before the loop waits for waker() to become readable: after this add() wakes the loop. False if
  // a callback was added, and the loop must not wait.
  bool sleep() noexcept {
    // Both sides write, then read: either this thread sees the added callback, or add() sees `asleep_`.
    asleep_.store(true, std::memory_order_seq_cst);
    return !filled_.load(std::memory_order_seq_cst);
  }
  // The loop checks filled() before it waits again, so add() need not wake it.
  void awake() noexcept { asleep_.store(false, std::memory_order_relaxed); }

  // Called by the destructor of the loop: destroys all callbacks, present and future, without running them.
  void close();

  const Waker& waker() const noexcept { return waker_; }

 private:
  static constexpr std::size_t kKept = 64 * 1024;  // the memory of an empty vector larger than this is freed

  void take();

  std::mutex mutex_;
  std::vector<Callback> added_;
  bool closed_ = false;
  std::atomic<bool> filled_ = false;
  std::atomic<bool> asleep_ = true;
  std::vector<Callback> taken_;  // used by run() only; kept for its capacity
  std::size_t next_ = 0;         // the first of taken_ that has not run
  SignalQueue from_signals_;
  Waker waker_;
};

}  // namespace squall
