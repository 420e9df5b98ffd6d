#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/coro/timed.h>
#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/waiter.h>

#include <coroutine>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace squall {

class Semaphore;

// The right to use what a Semaphore or Lock guards. Given back when it goes out of scope.
//
// Lifetime:  may outlive the semaphore, and then gives nothing back.
class [[nodiscard]] Permit : public ListNode<> {
 public:
  Permit() noexcept = default;
  Permit(Permit&& other) noexcept { take(other); }
  Permit& operator=(Permit&& other) noexcept {
    if (this != &other) {
      release();
      take(other);
    }
    return *this;
  }
  ~Permit() { release(); }

  // False if there is none, or no longer.
  explicit operator bool() const noexcept { return semaphore_ != nullptr; }
  // Gives it back now.
  void release() noexcept;
  // Keeps it taken: somebody is going to call Semaphore::release() or Lock::release() for it.
  void detach() noexcept {
    unlink();
    semaphore_ = nullptr;
  }

 private:
  friend class Semaphore;
  using ListNode::linked;
  using ListNode::take_place_of;
  using ListNode::unlink;
  explicit Permit(Semaphore& semaphore) noexcept;
  void take(Permit& other) noexcept;

  Semaphore* semaphore_ = nullptr;
};

// A number of permits, for as many coroutines at a time (LCK-30).
//
//     Permit permit = co_await semaphore.acquire();
//
// First come, first served: a permit given back while others wait is promised to the longest waiting one, and
// nobody can take it away before that resumes. If that is destroyed first, it goes to the next.
//
// Thread:    one, that of the loop its waiters run on.
// Lifetime:  may be destroyed while permits are out, which then give nothing back, and while coroutines wait:
//            they are never resumed, not even those that have been promised a permit.
class Semaphore {
 public:
  // Throws std::invalid_argument if `value` is negative.
  explicit Semaphore(std::ptrdiff_t value = 1) : Semaphore(value, kUnbounded) {}
  ~Semaphore();
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // co_await semaphore.acquire(): a Permit. With a deadline it throws TimeoutError.
  class Acquire;
  Acquire acquire();
  Timed<Acquire> acquire(Deadline deadline);
  // Empty if there is none to be had at once.
  Permit try_acquire() noexcept { return take() ? Permit(*this) : Permit(); }

  // One permit more, for whoever waits: what a detached Permit, or one never acquired, gives back. Permits
  // call it themselves. A BoundedSemaphore throws std::logic_error if none is out (LCK-40).
  void release();

  // Permits to be had at once.
  std::ptrdiff_t value() const noexcept { return value_; }
  bool locked() const noexcept { return value_ == 0; }
  std::size_t waiters() const noexcept { return waiting_.size(); }
  // For diagnostics (LCK-60): <Semaphore [unlocked,value:2]>, <Semaphore [locked,waiters:1]>
  std::string to_string() const { return describe("Semaphore"); }

 protected:
  static constexpr std::ptrdiff_t kUnbounded = std::numeric_limits<std::ptrdiff_t>::max();

  Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound);
  std::string describe(std::string_view name) const;

 private:
  friend class Permit;
  friend class Lock;

  bool take() noexcept {
    if (value_ == 0) return false;
    --value_;
    return true;
  }
  // Every permit is to be had, or promised: there is none that could be given back.
  bool complete() const noexcept { return value_ + static_cast<std::ptrdiff_t>(promised_.size()) >= bound_; }
  void give_back() noexcept {
    if (!waiting_.promise_to_one(promised_)) ++value_;
  }

  std::ptrdiff_t value_;  // 0 while anybody waits
  std::ptrdiff_t bound_;
  IntrusiveList<Permit> permits_;  // acquired, and neither released nor detached
  WaiterList waiting_;
  WaiterList promised_;
};

// A Semaphore that knows how many permits there are: giving back one too many is an error (LCK-40).
class BoundedSemaphore final : public Semaphore {
 public:
  explicit BoundedSemaphore(std::ptrdiff_t value = 1) : Semaphore(value, value) {}
  std::string to_string() const { return describe("BoundedSemaphore"); }
};

class [[nodiscard]] Semaphore::Acquire : protected Waiter {
 public:
  explicit Acquire(Semaphore& semaphore) : Waiter(IOLoop::current()), semaphore_(semaphore) {}
  ~Acquire() {
    if (withdraw()) semaphore_.give_back();
  }

  bool await_ready() noexcept { return semaphore_.value_ > 0 && loop().spend(1) && semaphore_.take(); }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept {
    wait_in(semaphore_.waiting_, coroutine);
    if (semaphore_.take()) promise(semaphore_.promised_);  // others have their turn first
  }
  Permit await_resume() noexcept {
    take_promise();
    return Permit(semaphore_);
  }

 private:
  Semaphore& semaphore_;
};

inline Semaphore::Acquire Semaphore::acquire() { return Acquire(*this); }
inline Timed<Semaphore::Acquire> Semaphore::acquire(Deadline deadline) {
  return Timed<Acquire>(deadline, *this);
}

}  // namespace squall
