#pragma once

#include <coroutine>
#include <cstdint>

namespace squall {

class IOLoop;
class Waiter;

// Suspended coroutines in the order they came. Building block of everything that can be waited for.
//
// Lifetime:  may be destroyed with waiters in it: they are then never woken.
class WaiterList {
 public:
  WaiterList() noexcept = default;
  ~WaiterList();
  WaiterList(const WaiterList&) = delete;
  WaiterList& operator=(const WaiterList&) = delete;

  bool empty() const noexcept { return first_ == nullptr; }
  // Moves the longest waiting one to the loop's ready queue: it resumes in a later turn, never from in here.
  // False if nobody waits.
  bool wake_one();
  void wake_all();

 private:
  friend class Waiter;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

// One suspended coroutine: a member of an awaiter. Its destructor takes the coroutine out of the list or the
// ready queue it stands in, so that nobody resumes a frame that is gone.
class Waiter {
 public:
  explicit Waiter(IOLoop& loop) noexcept : loop_(loop) {}
  ~Waiter() { withdraw(); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  void wait_in(WaiterList& list, std::coroutine_handle<> coroutine) noexcept;
  // Straight to the ready queue, out of the list if it stands in one.
  void wake();
  void withdraw() noexcept;
  // In a list; false once woken.
  bool waiting() const noexcept { return list_ != nullptr; }

 private:
  friend class WaiterList;
  void leave_list() noexcept;

  IOLoop& loop_;
  WaiterList* list_ = nullptr;
  Waiter* previous_ = nullptr;
  Waiter* next_ = nullptr;
  std::coroutine_handle<> coroutine_;
  std::uint64_t ticket_ = 0;  // in the ready queue
};

}  // namespace squall
