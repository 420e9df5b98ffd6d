#include <squall/ioloop/loop/task_group.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/fatal.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/running_coroutine.h>

#include <cstdint>
#include <utility>

namespace squall {

class TaskGroup::Member final : public detail::TaskOwner, public ListNode<>, public Pooled {
 public:
  Member(TaskGroup& group, Task<void> task, std::source_location added_at) noexcept
      : home(group), task(std::move(task)), added_at(added_at) {
    home.loop_->count_tasks(1);
  }
  ~Member() {
    if (stage == Stage::starting)
      detail::fail_fast(
          "a task destroys the TaskGroup or the server that runs it: leave that to a callback of the loop");
    home.loop_->count_tasks(-1);
  }

  std::coroutine_handle<> task_ended(std::size_t) noexcept override {
    if (stage == Stage::starting) {
      stage = Stage::ended_in_start;  // add() is on the stack and calls ended()
    } else {
      home.ended(*this);
    }
    return std::noop_coroutine();
  }

  const TaskGroup* group() const noexcept override { return &home; }

  TaskGroup& home;
  Task<void> task;
  std::source_location added_at;
  enum class Stage : std::uint8_t { starting, running, ended_in_start } stage = Stage::starting;
};

TaskGroup::TaskGroup(ErrorHandler on_error, IOLoop& loop) : loop_(loop), on_error_(std::move(on_error)) {}

TaskGroup::~TaskGroup() {
  clean_up_.unlink();
  joining_.withdraw_all();
  destroy_ended();
  // A destructor of a task's locals may add tasks to the group.
  while (!running_.empty()) destroy();
}

TaskGroup::Member* TaskGroup::add(Task<void> task, std::source_location added_at) {
  task.check_startable();
  auto* member = new Member(*this, std::move(task), added_at);
  running_.push_back(*member);
  ++size_;
  member->task.start(*member);
  if (member->stage == Member::Stage::starting) {
    member->stage = Member::Stage::running;
    return member;
  }
  // The coroutine is not on the stack, so it is destroyed now: many short tasks do not take memory until
  // the end of the turn.
  ended(*member);
  return nullptr;
}

void TaskGroup::destroy(Member& member) noexcept {
  const detail::ForcedDestruction destroying;
  leave(member);
  delete &member;
}

void TaskGroup::leave(Member& member) noexcept {
  member.unlink();
  if (--size_ == 0) joining_.wake_all();
}

void TaskGroup::ended(Member& member) noexcept {
  leave(member);
  report(member);
  if (member.stage == Member::Stage::ended_in_start) {
    delete &member;
    return;
  }
  // The task is still on the stack, at its final suspension.
  ended_.push_back(member);
  clean_up_at_turn_end();
}

void TaskGroup::report(Member& member) noexcept {
  try {
    try {
      member.task.result();
    } catch (...) {
      if (!on_error_) throw;
      on_error_(std::current_exception(), member.added_at);
    }
  } catch (...) {
    log::application().error("Exception in task added at {}:{}: {}", member.added_at.file_name(),
                             member.added_at.line(), current_what());
  }
}

void TaskGroup::cancel() noexcept {
  cancelling_ = true;
  clean_up_at_turn_end();
}

void TaskGroup::destroy() noexcept {
  IntrusiveList<Member> doomed;  // without tasks that are added meanwhile
  doomed.splice_back(running_);
  while (!doomed.empty()) destroy(doomed.back());
}

void TaskGroup::clean_up_at_turn_end() noexcept {
  if (!clean_up_.linked()) loop_->at_turn_end(clean_up_);
}

void TaskGroup::clean_up() noexcept {
  destroy_ended();
  if (std::exchange(cancelling_, false)) destroy();
}

void TaskGroup::destroy_ended() noexcept {
  while (!ended_.empty()) delete &ended_.pop_back();
}

}  // namespace squall
