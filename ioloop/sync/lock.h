#pragma once

#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/sync/semaphore.h>

#include <cstddef>
#include <string>

namespace squall {

// Lets one coroutine at a time run a section that contains a co_await (LCK-50). First come, first served. Not
// re-entrant: a coroutine that acquires the lock twice waits for ever.
//
//     const Permit lock = co_await mutex.acquire();
//
// Code without a co_await needs no lock: nothing else runs on the loop meanwhile.
//
// Thread:    the thread of the loop that its waiters run on.
// Lifetime:  as a Semaphore.
class Lock {
 public:
  // co_await lock.acquire(): a Permit. With a deadline it throws TimeoutError.
  Semaphore::Acquire acquire() { return semaphore_.acquire(); }
  Timed<Semaphore::Acquire> acquire(Deadline deadline) { return semaphore_.acquire(deadline); }
  // Empty if the lock is not free.
  Permit try_acquire() noexcept { return semaphore_.try_acquire(); }

  // For a detached Permit. Throws std::logic_error if the lock is free.
  void release();

  // Whether the permit is acquired, or promised to a waiter.
  bool locked() const noexcept { return semaphore_.locked(); }
  std::size_t waiters() const noexcept { return semaphore_.waiters(); }
  // For diagnostics (LCK-60): <Lock [unlocked]>, <Lock [locked,waiters:1]>
  std::string to_string() const;

 private:
  BoundedSemaphore semaphore_{1};
};

}  // namespace squall
