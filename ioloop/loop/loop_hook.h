#pragma once

#include <cassert>
#include <coroutine>
#include <cstdint>

namespace squall {

class LoopHook;

namespace detail {

struct LoopHookLinks {
  LoopHookLinks* previous = nullptr;
  LoopHookLinks* next = nullptr;
};

}  // namespace detail

// Hooks in the order they came.
//
// Lifetime:  may be destroyed with hooks in it: they then stand nowhere.
class LoopHookList {
 public:
  LoopHookList() noexcept { head_.previous = head_.next = &head_; }
  ~LoopHookList() {
    while (!empty()) pop_front();
  }
  LoopHookList(const LoopHookList&) = delete;
  LoopHookList& operator=(const LoopHookList&) = delete;

  bool empty() const noexcept { return head_.next == &head_; }
  // Undefined if empty.
  LoopHook& front() const noexcept;
  void push_back(LoopHook& hook) noexcept;
  LoopHook& pop_front() noexcept;
  // All of `other`, before those that are here.
  void take_first(LoopHookList& other) noexcept;

 private:
  detail::LoopHookLinks head_;  // of a ring
};

// A call that somebody wants of the loop, in their own memory: a member of who may have to ask for it where
// nothing may fail, as in a destructor or in close(). To ask is to link the hook in, which allocates nothing.
//
// Stands in at most one place: among the waiters of a WaiterList, in the loop's ready queue, or in its
// end-of-turn work.
//
// Lifetime:  destroying it withdraws the call.
class LoopHook : private detail::LoopHookLinks {
 public:
  using Function = void (*)(void* context);

  LoopHook() noexcept = default;
  LoopHook(Function function, void* context) noexcept : function_(function), context_(context) {}
  ~LoopHook() { unlink(); }
  LoopHook(const LoopHook&) = delete;
  LoopHook& operator=(const LoopHook&) = delete;

  // What is called.
  void set(Function function, void* context) noexcept {
    function_ = function;
    context_ = context;
  }
  void set(std::coroutine_handle<> coroutine) noexcept { set(&resume, coroutine.address()); }
  // Calls it now. May destroy the hook.
  void operator()() const { function_(context_); }

  Function function() const noexcept { return function_; }
  // The coroutine it resumes; null if it calls something else.
  std::coroutine_handle<> coroutine() const noexcept {
    return function_ == &resume ? std::coroutine_handle<>::from_address(context_) : nullptr;
  }

  bool linked() const noexcept { return next != nullptr; }
  // Withdraws the call. Does nothing if none is due.
  void unlink() noexcept {
    if (!next) return;
    previous->next = next;
    next->previous = previous;
    previous = next = nullptr;
  }
  // Stands where `other` stood, if anywhere, in its stead: for who is moved.
  void take_place_of(LoopHook& other) noexcept {
    assert(!linked());
    if (!other.linked()) return;
    previous = other.previous;
    next = other.next;
    previous->next = next->previous = this;
    other.previous = other.next = nullptr;
    order_ = other.order_;
  }

 private:
  friend class CallbackQueue;
  friend class LoopHookList;

  static void resume(void* coroutine) { std::coroutine_handle<>::from_address(coroutine).resume(); }

  Function function_ = nullptr;
  void* context_ = nullptr;
  std::uint64_t order_ = 0;  // in the ready queue: the ticket of the callback that comes next
};

inline LoopHook& LoopHookList::front() const noexcept { return *static_cast<LoopHook*>(head_.next); }

inline void LoopHookList::push_back(LoopHook& hook) noexcept {
  assert(!hook.linked() && "this hook stands somewhere already");
  hook.previous = head_.previous;
  hook.next = &head_;
  head_.previous->next = &hook;
  head_.previous = &hook;
}

inline LoopHook& LoopHookList::pop_front() noexcept {
  LoopHook& hook = front();
  hook.unlink();
  return hook;
}

inline void LoopHookList::take_first(LoopHookList& other) noexcept {
  if (other.empty()) return;
  other.head_.previous->next = head_.next;
  head_.next->previous = other.head_.previous;
  head_.next = other.head_.next;
  head_.next->previous = &head_;
  other.head_.previous = other.head_.next = &other.head_;
}

}  // namespace squall
