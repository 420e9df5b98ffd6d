#pragma once

#include <squall/ioloop/loop/loop_hook.h>

#include <coroutine>
#include <cstddef>

namespace squall {

class IOLoop;
class Waiter;

// Suspended coroutines in the order they came. Building block of everything that can be waited for.
//
// Lifetime:  may be destroyed with waiters in it: they are then never woken.
class WaiterList {
 public:
  WaiterList() noexcept = default;
  ~WaiterList();
  WaiterList(const WaiterList&) = delete;
  WaiterList& operator=(const WaiterList&) = delete;

  bool empty() const noexcept { return waiters_.empty(); }
  std::size_t size() const noexcept { return size_; }
  // The longest waiting one; null if nobody waits.
  Waiter* front() const noexcept;
  // Moves the longest waiting one to the loop's ready queue: it resumes in a later turn, never from in here.
  // False if nobody waits.
  bool wake_one() noexcept;
  void wake_all() noexcept;
  // wake_one() for what only one can have: a permit, an item, a notification. The waiter then stands in
  // `promised` until its coroutine has taken that. If it is destroyed before, it still stands there, and its
  // awaiter passes on what it was promised.
  bool promise_to_one(WaiterList& promised) noexcept;
  // Leaves everyone in the list suspended for good, woken or not.
  void withdraw_all() noexcept;

 private:
  friend class Waiter;
  IntrusiveList<Waiter> waiters_;
  std::size_t size_ = 0;
};

// One suspended coroutine: a member or base of an awaiter. Its destructor takes the coroutine out of the list
// or the ready queue it stands in, so that nobody resumes a frame that is gone. Waiting and waking take no
// memory.
class Waiter : public ListNode<> {
 public:
  explicit Waiter(IOLoop& loop) noexcept : loop_(loop) {}
  ~Waiter() { withdraw(); }

  void wait_in(WaiterList& list, std::coroutine_handle<> coroutine) noexcept;
  // Straight to the ready queue, out of the list if it stands in one.
  void wake() noexcept;
  // The same, but into `promised`: see WaiterList::promise_to_one().
  void promise(WaiterList& promised) noexcept;
  // The coroutine has resumed and takes what it was promised. False if it was promised nothing.
  bool take_promise() noexcept;
  // The coroutine will not be resumed. True if what it was promised has to be passed on.
  bool withdraw() noexcept { return (list_ || woken_) && leave(); }

  // In a list; false once woken.
  bool waiting() const noexcept { return list_ && !woken_; }
  bool woken() const noexcept { return woken_; }
  // Woken with a promise that has not been taken, by something that still exists.
  bool promised() const noexcept { return list_ && woken_; }
  IOLoop& loop() const noexcept { return loop_; }

 private:
  friend class WaiterList;
  using ListNode::linked;
  using ListNode::take_place_of;
  using ListNode::unlink;
  bool leave() noexcept;
  void join_list(WaiterList& list) noexcept;
  void leave_list() noexcept;

  IOLoop& loop_;
  WaiterList* list_ = nullptr;
  LoopHook resume_;  // in the ready queue
  bool woken_ = false;
};

inline Waiter* WaiterList::front() const noexcept { return empty() ? nullptr : &waiters_.front(); }

}  // namespace squall
