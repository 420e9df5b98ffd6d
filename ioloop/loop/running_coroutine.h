#pragma once

#include <coroutine>

namespace squall::detail {

// The coroutine that runs on this thread: the innermost of those that the loop has resumed, and of the tasks
// and generators that these have started. Only its address is known.
//
// All code that resumes a coroutine, or transfers control to a coroutine, uses this class.
class RunningCoroutine {
 public:
  static bool is(std::coroutine_handle<> coroutine) noexcept { return coroutine.address() == address_; }

  // Runs `coroutine` until it waits or ends.
  static void resume(std::coroutine_handle<> coroutine) {
    const Nested nested(coroutine.address());
    coroutine.resume();
  }
  // For the end of await_suspend(): the running coroutine waits or has ended, and `next` runs.
  static std::coroutine_handle<> transfer(std::coroutine_handle<> next) noexcept {
    address_ = next.address();
    return next;
  }

 private:
  // A coroutine runs inside a function of another.
  class Nested {
   public:
    explicit Nested(void* address) noexcept : outer_(address_) { address_ = address; }
    ~Nested() { address_ = outer_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    void* const outer_;
  };

  static inline constinit thread_local void* address_ = nullptr;
};

// Exists while a TaskGroup destroys its tasks. If one of them runs, the code that destroys the group would go
// on in freed memory: the task then ends the program with a message.
//
// Thread:    one; counts per thread.
class ForcedDestruction {
 public:
  ForcedDestruction() noexcept { ++count_; }
  ~ForcedDestruction() { --count_; }
  ForcedDestruction(const ForcedDestruction&) = delete;
  ForcedDestruction& operator=(const ForcedDestruction&) = delete;

  // A running task is destroyed: ends the program if a group does it.
  static void reach_running_task() noexcept;

 private:
  static inline constinit thread_local int count_ = 0;
};

}  // namespace squall::detail
