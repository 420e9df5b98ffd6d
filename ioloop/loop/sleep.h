#pragma once

#include <squall/ioloop/loop/ioloop.h>

#include <cassert>
#include <coroutine>

namespace squall {

// Awaiter of sleep() and sleep_until(). May be moved until it is awaited.
class [[nodiscard]] SleepAwaiter {
 public:
  SleepAwaiter(IOLoop& loop, IOLoop::TimePoint when) noexcept : loop_(loop), when_(when) {}
  SleepAwaiter(SleepAwaiter&& other) noexcept : loop_(other.loop_), when_(other.when_) {
    assert(!other.timeout_ && "this sleep has begun");
  }
  SleepAwaiter& operator=(SleepAwaiter&&) = delete;
  ~SleepAwaiter() { loop_->remove_timeout(timeout_); }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> sleeper) {
    timeout_ = loop_->call_at(when_, [this, sleeper] { loop_->resume(sleeper); });
  }
  void await_resume() const noexcept {}

 private:
  LoopRef loop_;
  IOLoop::TimePoint when_;
  Timeout timeout_;
};

// co_await sleep(100ms): suspends for `delay` from this call, and at least until the timers run next
// (GEN-10).
inline SleepAwaiter sleep(TimeSpan delay) {
  IOLoop& loop = IOLoop::current();
  return {loop, loop.deadline_after(delay)};
}
// Suspends until the loop's time() has reached `when`.
inline SleepAwaiter sleep_until(IOLoop::TimePoint when) { return {IOLoop::current(), when}; }

// co_await moment(): resumes in a later turn, after all work that was ready before (GEN-04). May be moved
// until it is awaited.
class [[nodiscard]] MomentAwaiter {
 public:
  explicit MomentAwaiter(IOLoop& loop) noexcept : loop_(loop) {}
  MomentAwaiter(MomentAwaiter&& other) noexcept : loop_(other.loop_) {
    assert(!other.hook_.linked() && "this moment has begun");
  }
  MomentAwaiter& operator=(MomentAwaiter&&) = delete;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept {
    hook_.set(coroutine);
    loop_->call_soon(hook_);
  }
  void await_resume() const noexcept {}

 private:
  LoopRef loop_;
  LoopHook hook_;
};

inline MomentAwaiter moment() { return MomentAwaiter(IOLoop::current()); }

}  // namespace squall
