#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/waiter.h>

#include <coroutine>
#include <utility>

namespace squall {

// Whether a passed deadline throws TimeoutError, or is the return value of Wait::await_resume().
enum class OnTimeout { throws, returns };

// An awaiter with a deadline, for the waits of events, locks and queues.
//
// `Wait` is an awaiter derived from Waiter. Its result is the result of `Wait`, unless the deadline passes
// first: the awaiter is then removed from its list. A wait that does not suspend sets no timer, and
// succeeds even if the deadline has passed. If the wake-up and the deadline are in one turn, the first of
// them decides.
//
// Lifetime:  the event, lock or queue may be destroyed meanwhile; the deadline still ends the wait. May be
//            moved until it is awaited.
template <class Wait, OnTimeout on_timeout = OnTimeout::throws>
class [[nodiscard]] Timed : public Wait {
 public:
  template <class... Arguments>
  explicit Timed(Deadline deadline, Arguments&&... arguments)
      : Wait(std::forward<Arguments>(arguments)...), deadline_(deadline) {}
  Timed(Timed&&) noexcept = default;
  Timed& operator=(Timed&&) = delete;
  ~Timed() { disarm(); }

  void await_suspend(std::coroutine_handle<> coroutine) {
    // Sets the timer first: if that throws std::bad_alloc, nothing waits yet.
    if (!deadline_.never()) {
      timer_ = this->loop().call_at(deadline_.when(), [this, coroutine] {
        if (this->woken()) return;
        this->withdraw();
        timed_out_ = true;
        this->loop().resume(coroutine);
      });
    }
    Wait::await_suspend(coroutine);
  }
  decltype(auto) await_resume() {
    if constexpr (on_timeout == OnTimeout::throws) {
      if (timed_out_) throw TimeoutError();
    }
    disarm();
    return Wait::await_resume();
  }

 private:
  void disarm() noexcept {
    if (timer_) this->loop().remove_timeout(std::exchange(timer_, Timeout()));
  }

  Deadline deadline_;
  Timeout timer_;
  bool timed_out_ = false;
};

}  // namespace squall
