#pragma once

#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/sync/semaphore.h>

#include <cstddef>
#include <string>

namespace squall {

// Lets one coroutine at a time do something that takes it more than one turn (LCK-50). Served first come,
// first served. Not re-entrant: who acquires it twice waits for itself.
//
//     const Permit lock = co_await mutex.acquire();
//
// Between two co_awaits nothing else runs on the loop: only what spans one needs a lock.
//
// Thread:    one, that of the loop its waiters run on.
// Lifetime:  as of a Semaphore.
class Lock {
 public:
  // co_await lock.acquire(): a Permit. With a deadline it throws TimeoutError.
  Semaphore::Acquire acquire() { return semaphore_.acquire(); }
  Timed<Semaphore::Acquire> acquire(Deadline deadline) { return semaphore_.acquire(deadline); }
  // Empty if it is locked.
  Permit try_acquire() noexcept { return semaphore_.try_acquire(); }

  // For a detached Permit. Throws std::logic_error if nobody holds the lock.
  void release();

  // Somebody holds it, or has been promised it.
  bool locked() const noexcept { return semaphore_.locked(); }
  std::size_t waiters() const noexcept { return semaphore_.waiters(); }
  // For diagnostics (LCK-60): <Lock [unlocked]>, <Lock [locked,waiters:1]>
  std::string to_string() const;

 private:
  BoundedSemaphore semaphore_{1};
};

}  // namespace squall
