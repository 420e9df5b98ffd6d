#pragma once

#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/coro/timed.h>
#include <squall/ioloop/loop/waiter.h>

#include <coroutine>
#include <cstddef>
#include <string>

namespace squall {

// Lets coroutines wait until another says that something has changed (LCK-10). There is no lock with it: on
// one loop nothing changes between looking and waiting.
//
//     while (!ready) co_await condition.wait();
//
// A notification that finds nobody waiting is lost. One whose receiver is destroyed before it could resume
// goes to the next who waits.
//
// Thread:    one, that of the loop its waiters run on.
// Lifetime:  may be destroyed while coroutines wait: those notified go on, the others are never resumed.
class Condition {
 public:
  Condition() noexcept = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  // Wakes up to `count` waiters, the longest waiting first. They resume in a later turn.
  void notify(std::size_t count = 1) noexcept {
    while (count-- > 0 && waiting_.promise_to_one(notified_)) {
    }
  }
  void notify_all() noexcept { waiting_.wake_all(); }

  // co_await condition.wait(): true. With a deadline, false if that has passed first: nothing is thrown.
  class Wait;
  Wait wait();
  Timed<Wait, OnTimeout::returns> wait(Deadline deadline);

  // For diagnostics (LCK-60): <Condition>, <Condition waiters[2]>
  std::string to_string() const;

 private:
  WaiterList waiting_;
  WaiterList notified_;  // by notify(), and not resumed yet
};

class [[nodiscard]] Condition::Wait : protected Waiter {
 public:
  explicit Wait(Condition& condition) : Waiter(IOLoop::current()), condition_(condition) {}
  ~Wait() {
    if (withdraw()) condition_.notify();
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept { wait_in(condition_.waiting_, coroutine); }
  bool await_resume() noexcept { return take_promise() || woken(); }

 private:
  Condition& condition_;
};

inline Condition::Wait Condition::wait() { return Wait(*this); }
inline Timed<Condition::Wait, OnTimeout::returns> Condition::wait(Deadline deadline) {
  return Timed<Wait, OnTimeout::returns>(deadline, *this);
}

}  // namespace squall
