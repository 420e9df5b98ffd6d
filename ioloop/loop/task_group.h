#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/base/void_function.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/waiter.h>

#include <cstddef>
#include <exception>
#include <source_location>

namespace squall {

// Owns tasks that run concurrently and whose results are not awaited.
//
// Thread:    the loop's thread.
// Lifetime:  borrows `loop`. A task that has ended is destroyed by the end of the loop's turn. The destructor
//            cancels the tasks that have not ended, newest first; it must not be called from one of them.
// Errors:    an exception from a task is passed to the error handler, which by default logs it with the place
//            of the call of add(). The other tasks continue.
class TaskGroup {
 public:
  // Gets the exception, and the place of the call of add().
  using ErrorHandler = VoidFunction<std::exception_ptr, std::source_location>;

  explicit TaskGroup(IOLoop& loop = IOLoop::current()) : TaskGroup(ErrorHandler(), loop) {}
  explicit TaskGroup(ErrorHandler on_error, IOLoop& loop = IOLoop::current());
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Identifies a task that has not ended.
  class Member;

  // Starts the task now: when add() returns, the task has run to its first wait or to its end. Null if it has
  // ended. Throws std::logic_error if the task was moved from or has begun.
  Member* add(Task<void> task, std::source_location added_at = std::source_location::current());
  // Cancels one task now. Must not be called from that task.
  void destroy(Member& member) noexcept;
  // Cancels all tasks at the end of the loop's turn, so that a task may call it.
  void cancel() noexcept;
  // Cancels all tasks now, newest first. Must not be called from one of them.
  void destroy() noexcept;
  // Tasks that have not ended.
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  // co_await group.join(): waits until all tasks have ended. Throws std::logic_error in a task of the group,
  // or in one that it awaits, because it would wait for its own end.
  class Join;
  Join join() noexcept;

 private:
  void ended(Member& member) noexcept;
  void leave(Member& member) noexcept;
  void report(Member& member) noexcept;
  void destroy_ended() noexcept;
  void clean_up() noexcept;
  void clean_up_at_turn_end() noexcept;

  LoopRef loop_;
  ErrorHandler on_error_;
  IntrusiveList<Member> running_;
  IntrusiveList<Member> ended_;  // await destruction at the end of the turn
  std::size_t size_ = 0;
  LoopHook clean_up_{[](void* self) { static_cast<TaskGroup*>(self)->clean_up(); }, this};
  bool cancelling_ = false;
  WaiterList joining_;
};

class [[nodiscard]] TaskGroup::Join {
 public:
  explicit Join(TaskGroup& group) noexcept : group_(group), waiter_(*group.loop_) {}
  bool await_ready() const noexcept { return group_.empty(); }
  void await_suspend(detail::Caller joiner) {
    if (joiner.task() && joiner.task()->group() == &group_)
      throw_logic_error("a task awaits join() of its own TaskGroup, so of itself");
    waiter_.wait_in(group_.joining_, joiner);
  }
  void await_resume() const noexcept {}

 private:
  TaskGroup& group_;
  Waiter waiter_;
};

inline TaskGroup::Join TaskGroup::join() noexcept { return Join(*this); }

}  // namespace squall
