#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/loop/running_coroutine.h>

#include <coroutine>
#include <cstdint>

namespace squall {

// A call that an object requests from the loop, without an allocation: requesting the call links the hook
// into a list. A member of objects that request calls where nothing may fail, such as in a destructor or in
// close().
//
// A hook is in at most one list: the loop's ready queue, or its end-of-turn work.
//
// Thread:    the loop's thread.
// Lifetime:  unlink() and the destructor withdraw the call.
class LoopHook : public ListNode<> {
 public:
  using Function = void (*)(void* context);

  LoopHook() noexcept = default;
  LoopHook(Function function, void* context) noexcept : function_(function), context_(context) {}

  void set(Function function, void* context) noexcept {
    function_ = function;
    context_ = context;
  }
  void set(std::coroutine_handle<> coroutine) noexcept { set(&resume, coroutine.address()); }
  // Calls it now. May destroy the hook.
  void operator()() const { function_(context_); }

  Function function() const noexcept { return function_; }
  // The coroutine that it resumes; null if it calls another function.
  std::coroutine_handle<> coroutine() const noexcept {
    return function_ == &resume ? std::coroutine_handle<>::from_address(context_) : nullptr;
  }

  // Takes over the call that `other` has requested, if any: for move constructors.
  void take_place_of(LoopHook& other) noexcept {
    ListNode::take_place_of(other);
    order_ = other.order_;
  }

 private:
  friend class CallbackQueue;

  static void resume(void* coroutine) {
    detail::RunningCoroutine::resume(std::coroutine_handle<>::from_address(coroutine));
  }

  Function function_ = nullptr;
  void* context_ = nullptr;
  std::uint64_t order_ = 0;  // in the ready queue: the ticket of the callback that comes next
};

using LoopHookList = IntrusiveList<LoopHook>;

}  // namespace squall
