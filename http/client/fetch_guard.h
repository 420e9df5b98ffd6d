#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_hook.h>
#include <squall/ioloop/loop/task.h>

#include <coroutine>
#include <cstdint>
#include <utility>

namespace squall::http {

class FetchGuard;

// The running guards of a client: checks their deadlines, and ends them when the client closes.
//
// A deadline is a field of its guard. One timer serves all guards. It is set for the earliest deadline at the
// time of the last check, so a fetch that ends in time does not touch the timers of the loop. A deadline may
// be noticed some milliseconds late.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop. Destroying it closes all guards. Within a Call that ends the program with a
//            message.
class FetchGuards {
 public:
  explicit FetchGuards(IOLoop& loop) noexcept : loop_(loop) {}
  ~FetchGuards();
  FetchGuards(const FetchGuards&) = delete;
  FetchGuards& operator=(const FetchGuards&) = delete;

  // Destroys the work of all guards; their callers resume in a later turn. Must not be called by the work
  // of a guard.
  void close_all() noexcept;
  bool empty() const noexcept { return running_.empty(); }
  // Exists while the work of a guard calls functions of the request. They must not destroy the client.
  class Call {
   public:
    explicit Call(FetchGuards& guards) noexcept : guards_(guards) { ++guards_.calls_; }
    ~Call() { --guards_.calls_; }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    FetchGuards& guards_;
  };
  IOLoop& loop() const noexcept { return *loop_; }

 private:
  friend class FetchGuard;

  void set_timer(IOLoop::TimePoint when);
  void check_deadlines();

  LoopRef loop_;
  IntrusiveList<FetchGuard> running_;
  int calls_ = 0;
  Timeout timer_;
  IOLoop::TimePoint timer_at_{};  // due time of timer_
};

// Runs the work of a fetch, and destroys it when its deadline passes or the client closes.
//
// state      | waits for          | ended by                          | next
// ready      | run()              |                                   | running
// running    | the work           | the end of the work               | ended
//            |                    | its deadline                      | timed_out
//            |                    | FetchGuards::close_all()          | closed
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the FetchGuards until it is timed_out or closed. Destroying it destroys the work.
// Errors:    awaiting run() throws the exceptions of the work.
class FetchGuard : public ListNode<> {
 public:
  enum class State : std::uint8_t { ready, running, ended, timed_out, closed };
  class Run;

  explicit FetchGuard(FetchGuards& guards) noexcept : guards_(guards) {}
  FetchGuard(const FetchGuard&) = delete;
  FetchGuard& operator=(const FetchGuard&) = delete;
  ~FetchGuard() { work_.reset(); }

  // Awaited, runs the work and gives the state at its end.
  Run run(Task<> work) noexcept;
  // For awaiters: begins the work. `caller` resumes at its end, and then calls finish().
  std::coroutine_handle<> begin(Task<> work, std::coroutine_handle<> caller) noexcept;
  // The state at the end of the work. Throws its exception.
  State finish();

  // The work may change its deadline at any time. TimePoint::max() is no deadline.
  void set_deadline(IOLoop::TimePoint when);

 private:
  friend class FetchGuards;

  void cut(State state) noexcept;

  FetchGuards& guards_;
  State state_ = State::ready;
  Task<> work_;
  std::coroutine_handle<> caller_;
  LoopHook resume_;
  IOLoop::TimePoint deadline_ = IOLoop::TimePoint::max();
};

class [[nodiscard]] FetchGuard::Run {
 public:
  Run(FetchGuard& guard, Task<> work) noexcept : guard_(guard), work_(std::move(work)) {}

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    return guard_.begin(std::move(work_), caller);
  }
  State await_resume() { return guard_.finish(); }

 private:
  FetchGuard& guard_;
  Task<> work_;
};

inline FetchGuard::Run FetchGuard::run(Task<> work) noexcept { return {*this, std::move(work)}; }

}  // namespace squall::http
