#pragma once

#include <squall/ioloop/coro/timed.h>
#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/waiter.h>

#include <coroutine>
#include <cstddef>
#include <string>

namespace squall {

// Lets coroutines wait until another coroutine notifies them (LCK-10). No lock belongs to it: on one loop the
// state cannot change between a check and the wait.
//
//     while (!ready) co_await condition.wait();
//
// A notification is lost if no coroutine waits. If the notified coroutine is destroyed before it resumes, the
// next waiter is notified.
//
// Thread:    the thread of the loop that its waiters run on.
// Lifetime:  may be destroyed while coroutines wait: those that were notified resume, the others never do.
class Condition {
 public:
  Condition() noexcept = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  // Wakes up to `count` waiters, first come, first served. They resume in a later turn.
  void notify(std::size_t count = 1) noexcept {
    while (count-- > 0 && waiting_.promise_to_one(notified_)) {
    }
  }
  void notify_all() noexcept { waiting_.wake_all(); }

  // co_await condition.wait(): returns true. With a deadline it returns false if the deadline passes first;
  // it does not throw.
  class Wait;
  Wait wait();
  Timed<Wait, OnTimeout::returns> wait(Deadline deadline);

  // For diagnostics (LCK-60): <Condition>, <Condition waiters[2]>
  std::string to_string() const;

 private:
  WaiterList waiting_;
  WaiterList notified_;  // waiters that notify() has woken, and that have not resumed
};

class [[nodiscard]] Condition::Wait : protected Waiter {
 public:
  explicit Wait(Condition& condition) : Waiter(IOLoop::current()), condition_(condition) {}
  Wait(Wait&&) noexcept = default;
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
