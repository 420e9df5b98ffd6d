#include <squall/ioloop/loop/inbox.h>

#include <utility>

namespace squall {

bool Inbox::add(Callback&& callback) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    added_.push_back(std::move(callback));
    if (added_.size() > 1) return true;  // the thread that added the first callback wakes the loop
    filled_.store(true, std::memory_order_seq_cst);
  }
  // Only one thread makes the system call, and only if the loop sleeps.
  if (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false, std::memory_order_seq_cst))
    waker_.wake();
  return true;
}

void Inbox::take() {
  const std::lock_guard lock(mutex_);
  added_.swap(taken_);
  filled_.store(false, std::memory_order_relaxed);
}

void Inbox::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  // Without the lock: destroying what a callback captured may add another callback.
  added_.clear();
  taken_.clear();
}

}  // namespace squall
