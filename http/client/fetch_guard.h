#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/task.h>

#include <coroutine>
#include <cstdint>
#include <utility>

namespace squall::http {

class FetchGuard;

// The fetches that a client has at work, and what can end them early: their deadlines, and the client's own
// end.
//
// A deadline is a field of its fetch. One timer for all is set for the earliest there was when it was last
// looked at, so that no fetch that ends in time touches the loop's timers. It may be some milliseconds late.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop. Destroying it ends all fetches, of which no work is left then.
class FetchGuards {
 public:
  explicit FetchGuards(IOLoop& loop) noexcept : loop_(loop) {}
  ~FetchGuards();
  FetchGuards(const FetchGuards&) = delete;
  FetchGuards& operator=(const FetchGuards&) = delete;

  // Cancels the work of all, which resume in a later turn. Not from within one of them.
  void close_all() noexcept;
  bool empty() const noexcept { return !first_; }
  IOLoop& loop() const noexcept { return loop_; }

 private:
  friend class FetchGuard;

  void add(FetchGuard& guard) noexcept;
  void remove(FetchGuard& guard) noexcept;
  void set_timer(IOLoop::TimePoint when);
  void look();

  IOLoop& loop_;
  FetchGuard* first_ = nullptr;
  FetchGuard* looked_at_ = nullptr;  // by look(), next
  Timeout timer_;
  IOLoop::TimePoint timer_at_{};  // of the timer that is set
};

// Awaits the work of a fetch, and destroys it if its deadline passes first, or if the client goes.
class [[nodiscard]] FetchGuard {
 public:
  enum class Outcome : std::uint8_t { ended, timed_out, closed };

  // `place` is where the work finds its guard.
  FetchGuard(FetchGuards& guards, Task<> work, FetchGuard*& place) noexcept
      : guards_(&guards), work_(std::move(work)), inner_(std::move(work_).operator co_await()) {
    place = this;
  }
  FetchGuard(const FetchGuard&) = delete;
  FetchGuard& operator=(const FetchGuard&) = delete;
  ~FetchGuard() {
    work_.reset();  // while what it uses is there
    if (guards_) guards_->remove(*this);
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    caller_ = caller;
    guards_->add(*this);
    return inner_.await_suspend(caller);
  }
  // Throws what the work has thrown.
  Outcome await_resume() {
    if (outcome_ == Outcome::ended) inner_.await_resume();
    return outcome_;
  }

  // From now on. The end of time: none.
  void set_deadline(IOLoop::TimePoint when);

 private:
  friend class FetchGuards;

  FetchGuards* guards_;  // null once the client is gone
  Task<> work_;
  Task<>::Awaiter inner_;
  std::coroutine_handle<> caller_;
  LoopHook resume_;
  FetchGuard* previous_ = nullptr;
  FetchGuard* next_ = nullptr;
  IOLoop::TimePoint deadline_ = IOLoop::TimePoint::max();
  Outcome outcome_ = Outcome::ended;
  bool linked_ = false;
};

}  // namespace squall::http
