#pragma once

#include <squall/ioloop/loop_hook.h>

#include <coroutine>

namespace squall {

class IOLoop;

// Suspended coroutines in the order they came. Building block of everything that can be waited for.
//
// Lifetime:  may be destroyed with waiters in it: they are then never woken.
class WaiterList {
 public:
  bool empty() const noexcept { return waiters_.empty(); }
  // Moves the longest waiting one to the loop's ready queue: it resumes in a later turn, never from in here.
  // False if nobody waits.
  bool wake_one() noexcept;
  void wake_all() noexcept;

 private:
  friend class Waiter;
  LoopHookList waiters_;
};

// One suspended coroutine: a member of an awaiter. Its destructor takes the coroutine out of the list or the
// ready queue it stands in, so that nobody resumes a frame that is gone. Waiting and waking take no memory.
class Waiter : private LoopHook {
 public:
  explicit Waiter(IOLoop& loop) noexcept : loop_(loop) {}

  void wait_in(WaiterList& list, std::coroutine_handle<> coroutine) noexcept;
  // Out of the list and straight to the ready queue. Does nothing if it stands in no list.
  void wake() noexcept;
  // Out of whatever it stands in: the coroutine stays suspended.
  void withdraw() noexcept;
  // In a list; false once woken.
  bool waiting() const noexcept { return in_list_ && linked(); }

 private:
  friend class WaiterList;

  IOLoop& loop_;
  bool in_list_ = false;
};

}  // namespace squall
