#pragma once

#include <squall/ioloop/coro/timed.h>
#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/waiter.h>

#include <coroutine>
#include <string>

namespace squall {

// A flag that coroutines wait for (LCK-20).
//
// Thread:    the thread of the loop that its waiters run on.
// Lifetime:  may be destroyed while coroutines wait: those that set() has woken resume, the others never do.
class Event {
 public:
  Event() noexcept = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  bool is_set() const noexcept { return set_; }
  // Wakes all waiters, in their order. They resume in a later turn, even if clear() is called before.
  void set() noexcept {
    set_ = true;
    waiting_.wake_all();
  }
  void clear() noexcept { set_ = false; }

  // co_await event.wait(): does not suspend if the event is set. With a deadline it throws TimeoutError.
  class Wait;
  Wait wait();
  Timed<Wait> wait(Deadline deadline);

  // For diagnostics (LCK-60): <Event set>, <Event clear waiters[2]>
  std::string to_string() const;

 private:
  WaiterList waiting_;
  bool set_ = false;
};

class [[nodiscard]] Event::Wait : protected Waiter {
 public:
  explicit Wait(Event& event) : Waiter(IOLoop::current()), event_(event) {}

  bool await_ready() const noexcept { return event_.set_ && loop().spend(1); }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept {
    wait_in(event_.waiting_, coroutine);
    if (event_.set_) wake();  // the budget is spent: resumes through the ready queue
  }
  void await_resume() const noexcept {}

 private:
  Event& event_;
};

inline Event::Wait Event::wait() { return Wait(*this); }
inline Timed<Event::Wait> Event::wait(Deadline deadline) { return Timed<Wait>(deadline, *this); }

}  // namespace squall
