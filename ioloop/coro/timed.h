#pragma once

#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/waiter.h>

#include <coroutine>
#include <utility>

namespace squall {

// Whether a deadline that has passed is thrown as TimeoutError, or left to Wait::await_resume() to tell.
enum class OnTimeout { throws, returns };

// An awaiter with a deadline: the one way in which events, locks and queues time out.
//
// `Wait` is an awaiter derived from Waiter. Awaiting gives what it gives, or ends once the deadline has
// passed: it has then left whatever it stood in. A wait that is over at once sets no timer, and succeeds even
// if the deadline has passed. If the wake-up and the deadline fall into the same turn, whichever came first
// counts: who was woken is not timed out.
//
// Lifetime:  what is waited for may be destroyed meanwhile; the deadline still ends the wait.
template <class Wait, OnTimeout on_timeout = OnTimeout::throws>
class [[nodiscard]] Timed : public Wait {
 public:
  template <class... Arguments>
  explicit Timed(Deadline deadline, Arguments&&... arguments)
      : Wait(std::forward<Arguments>(arguments)...), deadline_(deadline) {}
  ~Timed() { disarm(); }

  void await_suspend(std::coroutine_handle<> coroutine) {
    // The timer first: should there be no memory for it, nobody waits yet.
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
