#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/loop_ref.h>

#include <cassert>
#include <coroutine>
#include <cstddef>

namespace squall {

class Waiter;

// Suspended coroutines, first in, first out: the base of events, locks, queues and futures.
//
// Thread:    the loop's thread.
// Lifetime:  may be destroyed while waiters are in it, which are then never woken.
class WaiterList {
 public:
  WaiterList() noexcept = default;
  ~WaiterList();
  WaiterList(const WaiterList&) = delete;
  WaiterList& operator=(const WaiterList&) = delete;

  bool empty() const noexcept { return waiters_.empty(); }
  std::size_t size() const noexcept { return size_; }
  // The waiter that has waited longest; null if the list is empty.
  Waiter* front() const noexcept;
  // Moves the waiter that has waited longest to the loop's ready queue: its coroutine resumes in a later
  // turn, never within this call. False if the list is empty.
  bool wake_one() noexcept;
  void wake_all() noexcept;
  // As wake_one(), for a resource that one waiter gets: a permit, an item, a notification. The waiter is in
  // `promised` until its coroutine takes the resource. If the coroutine is destroyed before,
  // Waiter::withdraw() returns true, and the awaiter gives the resource to the next waiter.
  bool promise_to_one(WaiterList& promised) noexcept;
  // After this no coroutine of the list is resumed, not even a woken one.
  void withdraw_all() noexcept;

 private:
  friend class Waiter;
  IntrusiveList<Waiter> waiters_;
  std::size_t size_ = 0;
};

// One suspended coroutine: a member or base class of an awaiter. The destructor removes the coroutine from
// its list and the ready queue, so that a destroyed frame is never resumed. Nothing here allocates. May be
// moved until it waits.
//
// Thread:    the loop's thread.
class Waiter : public ListNode<> {
 public:
  explicit Waiter(IOLoop& loop) noexcept : loop_(loop) {}
  Waiter(Waiter&& other) noexcept : loop_(other.loop_) {
    assert(!other.list_ && !other.woken_ && "this wait has begun");
  }
  Waiter& operator=(Waiter&&) = delete;
  ~Waiter() { withdraw(); }

  void wait_in(WaiterList& list, std::coroutine_handle<> coroutine) noexcept;
  // Moves the coroutine from its list to the ready queue. Does nothing if it is in no list.
  void wake() noexcept;
  // As wake(), and links the waiter into `promised`: see WaiterList::promise_to_one().
  void promise(WaiterList& promised) noexcept;
  // The coroutine has resumed and takes the promised resource. False without a promise.
  bool take_promise() noexcept;
  // The coroutine will not be resumed. True if the caller must pass a promised resource on.
  bool withdraw() noexcept { return (list_ || woken_) && leave(); }

  // Whether it is in a list; false once woken.
  bool waiting() const noexcept { return list_ && !woken_; }
  bool woken() const noexcept { return woken_; }
  // Whether it was woken with a promise that it has not taken, and the list of promises still exists.
  bool promised() const noexcept { return list_ && woken_; }
  IOLoop& loop() const noexcept { return *loop_; }

 private:
  friend class WaiterList;
  using ListNode::linked;
  using ListNode::take_place_of;
  using ListNode::unlink;
  bool leave() noexcept;
  void join_list(WaiterList& list) noexcept;
  void leave_list() noexcept;

  LoopRef loop_;
  WaiterList* list_ = nullptr;
  LoopHook resume_;  // in the ready queue
  bool woken_ = false;
};

inline Waiter* WaiterList::front() const noexcept { return empty() ? nullptr : &waiters_.front(); }

}  // namespace squall
