#include <squall/ioloop/inbox.h>

#include <utility>

namespace squall {

bool Inbox::add(Callback callback) {
  bool was_empty;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    was_empty = added_.empty();
    added_.push_back(std::move(callback));
    if (was_empty) filled_.store(true, std::memory_order_release);
  }
  // One wake-up for all that gathers until the loop looks.
  if (was_empty) waker_.wake();
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
  // Outside the lock: what a callback captured may add another when it is destroyed.
  added_.clear();
  taken_.clear();
}

}  // namespace squall
