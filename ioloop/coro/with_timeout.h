#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/awaitable.h>
#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>

#include <cassert>
#include <coroutine>
#include <optional>
#include <utility>

namespace squall {
namespace detail {

// A task as an awaiter that owns it.
template <class T>
class OwnedTask {
 public:
  // Throws std::logic_error for a task that has begun or was moved from.
  explicit OwnedTask(Task<T> task) : task_(std::move(task)) { task_.check_startable(); }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(Caller caller) noexcept {
    return std::move(task_).operator co_await().await_suspend(caller);
  }
  T await_resume() { return task_.result(); }

 private:
  Task<T> task_;
};

// The work of with_timeout(): the awaiter itself, without a coroutine for it, or a task.
template <class A>
auto limited(A& work) {
  if constexpr (PlainAwaiter<A>) {
    return A(std::move(work));
  } else {
    return OwnedTask<AwaitResult<A>>(as_task(std::move(work)));
  }
}

}  // namespace detail

// Awaiter of with_timeout(): an awaiter and a timer; the awaiter is destroyed if the timer fires first. Sets
// no timer if the awaiter is ready. May be moved until it is awaited.
template <class Work>
class [[nodiscard]] TimeoutAwaiter {
 public:
  static constexpr bool kBorrowsArguments = detail::kBorrowsArguments<Work>;

  TimeoutAwaiter(IOLoop& loop, Deadline deadline, Work work) noexcept
      : loop_(loop), deadline_(deadline), work_(std::move(work)) {}
  TimeoutAwaiter(TimeoutAwaiter&& other) noexcept
      : loop_(other.loop_), deadline_(other.deadline_), work_(std::move(other.work_)) {
    assert(!other.timeout_ && "this with_timeout() has begun");
  }
  TimeoutAwaiter& operator=(TimeoutAwaiter&&) = delete;
  ~TimeoutAwaiter() { loop_->remove_timeout(timeout_); }

  bool await_ready() { return work_->await_ready(); }
  decltype(auto) await_suspend(detail::Caller caller) {
    // Sets the timer first: if that throws std::bad_alloc, the work has not begun.
    if (!deadline_.never()) {
      timeout_ = loop_->call_at(deadline_.when(), [this, caller] {
        work_.reset();  // suspended; it withdraws itself
        loop_->resume(caller);
      });
    }
    try {
      return work_->await_suspend(caller);
    } catch (...) {
      // The caller may live longer than its wait, which has failed.
      loop_->remove_timeout(std::exchange(timeout_, {}));
      throw;
    }
  }
  decltype(auto) await_resume() {
    if (!work_) throw TimeoutError();
    loop_->remove_timeout(timeout_);
    return work_->await_resume();
  }

 private:
  LoopRef loop_;
  Deadline deadline_;
  std::optional<Work> work_;  // empty once the deadline has passed
  Timeout timeout_;
};

// Limits the time of any awaitable:
//
//     const std::string line = co_await with_timeout(5s, stream.read_until("\n"));
//     const Job job = co_await with_timeout(5s, queue.get());
//     co_await with_timeout(deadline, work());
//
// Returns the result of the awaitable, or throws TimeoutError once the deadline has passed, and cancels the
// work by destroying it, unlike Tornado's (GEN-12): what a destroyed awaiter leaves behind is in the contract
// of its class. So a read that timed out has taken no bytes, and a get() no item. A duration counts from this
// call. A time point is absolute, so a function can pass its deadline on to the functions it calls. Work that
// ends without waiting succeeds, even if the deadline has passed.
template <Awaitable A>
auto with_timeout(Deadline deadline, A work) {
  using Work = decltype(detail::limited(work));
  return TimeoutAwaiter<Work>(IOLoop::current(), deadline, detail::limited(work));
}

}  // namespace squall
