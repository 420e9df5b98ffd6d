#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/loop_ref.h>

#include <cassert>
#include <coroutine>
#include <cstdint>
#include <initializer_list>

namespace squall {

class IOLoop;
class SignalHandlers;

// Awaiter of IOLoop::signal(). May be moved until it is awaited.
class [[nodiscard]] SignalAwaiter : public ListNode<> {
 public:
  SignalAwaiter(IOLoop& loop, std::initializer_list<int> signals) noexcept;
  SignalAwaiter(SignalAwaiter&& other) noexcept
      : loop_(other.loop_), wanted_(other.wanted_), valid_(other.valid_) {
    assert(!other.linked() && "this wait has begun");
  }
  SignalAwaiter& operator=(SignalAwaiter&&) = delete;

  // Throws as IOLoop::add_signal_handler() does.
  bool await_ready();
  void await_suspend(std::coroutine_handle<> coroutine) noexcept;
  int await_resume() const noexcept { return got_; }

 private:
  friend class SignalHandlers;

  LoopRef loop_;
  std::uint64_t wanted_ = 0;  // one bit for each signal
  bool valid_ = true;
  int got_ = 0;
  LoopHook resume_;  // linked once it is in the ready queue
};

}  // namespace squall
