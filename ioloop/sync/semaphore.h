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

// One permit of a Semaphore or Lock. The destructor releases it.
//
// Thread:    the semaphore's.
// Lifetime:  may outlive the semaphore.
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

  // False if empty, released, detached or moved from.
  explicit operator bool() const noexcept { return semaphore_ != nullptr; }
  // Releases the permit now.
  void release() noexcept;
  // The destructor no longer releases the permit: the program calls Semaphore::release() or Lock::release()
  // for it.
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

// A number of permits; each permit lets one coroutine run (LCK-30).
//
//     Permit permit = co_await semaphore.acquire();
//
// First come, first served: a permit that is released while coroutines wait is promised to the coroutine
// that has waited longest, and no other coroutine can take it away. If that coroutine is destroyed before
// it resumes, the permit is promised to the next.
//
// Thread:    the thread of the loop that its waiters run on.
// Lifetime:  may be destroyed while permits are acquired, which then release nothing, and while coroutines
//            wait, which are never resumed, not even those with a promised permit.
class Semaphore {
 public:
  // Throws std::invalid_argument if `value` is negative.
  explicit Semaphore(std::ptrdiff_t value = 1) : Semaphore(value, kUnbounded) {}
  ~Semaphore();
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // co_await semaphore.acquire(): returns a Permit. With a deadline it throws TimeoutError.
  class Acquire;
  Acquire acquire();
  Timed<Acquire> acquire(Deadline deadline);
  // Does not wait: empty if no permit is free.
  Permit try_acquire() noexcept { return take() ? Permit(*this) : Permit(); }

  // Adds one permit: for a detached Permit, or to raise the number of permits. A BoundedSemaphore throws
  // std::logic_error if no permit is acquired (LCK-40).
  void release();
  // As release(), but returns false instead of throwing.
  bool try_release() noexcept;

  // The number of free permits.
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

  bool take() noexcept {
    if (value_ == 0) return false;
    --value_;
    return true;
  }
  // True if every permit is free or promised, so that no permit can be released.
  bool complete() const noexcept { return value_ + static_cast<std::ptrdiff_t>(promised_.size()) >= bound_; }
  void give_back() noexcept {
    if (!waiting_.promise_to_one(promised_)) ++value_;
  }

  std::ptrdiff_t value_;  // 0 while coroutines wait
  std::ptrdiff_t bound_;
  IntrusiveList<Permit> permits_;  // permits that are acquired, and neither released nor detached
  WaiterList waiting_;
  WaiterList promised_;
};

// A Semaphore with a fixed number of permits: releasing one too many is an error (LCK-40).
class BoundedSemaphore final : public Semaphore {
 public:
  explicit BoundedSemaphore(std::ptrdiff_t value = 1) : Semaphore(value, value) {}
  std::string to_string() const { return describe("BoundedSemaphore"); }
};

class [[nodiscard]] Semaphore::Acquire : protected Waiter {
 public:
  explicit Acquire(Semaphore& semaphore) : Waiter(IOLoop::current()), semaphore_(semaphore) {}
  Acquire(Acquire&&) noexcept = default;
  ~Acquire() {
    if (withdraw()) semaphore_.give_back();
  }

  bool await_ready() noexcept { return semaphore_.value_ > 0 && loop().spend(1) && semaphore_.take(); }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept {
    wait_in(semaphore_.waiting_, coroutine);
    if (semaphore_.take()) promise(semaphore_.promised_);  // the budget is spent
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
