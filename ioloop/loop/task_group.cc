#include <squall/ioloop/loop/task_group.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/base/log.h>

#include <utility>

namespace squall {

class TaskGroup::Member final : public detail::TaskOwner, public Pooled {
 public:
  Member(TaskGroup& group, Task<void> task, std::source_location added_at) noexcept
      : group(group), task(std::move(task)), added_at(added_at) {
    group.loop_.count_tasks(1);
  }
  ~Member() { group.loop_.count_tasks(-1); }

  std::coroutine_handle<> task_ended(std::size_t) noexcept override {
    if (starting) {
      has_ended = true;  // add() is on the stack and does the rest
    } else {
      group.ended(*this);
    }
    return std::noop_coroutine();
  }

  TaskGroup& group;
  Task<void> task;
  std::source_location added_at;
  Member* older = nullptr;
  Member* newer = nullptr;
  bool starting = true;
  bool has_ended = false;
};

TaskGroup::TaskGroup(IOLoop& loop, ErrorHandler on_error) : loop_(loop), on_error_(std::move(on_error)) {}

TaskGroup::~TaskGroup() {
  clean_up_.unlink();
  destroy_list(std::exchange(ended_, nullptr));
  // What is destroyed may add to the group.
  while (newest_) destroy_list(std::exchange(newest_, nullptr));
}

TaskGroup::Member* TaskGroup::add(Task<void> task, std::source_location added_at) {
  auto* member = new Member(*this, std::move(task), added_at);
  member->older = newest_;
  if (newest_) newest_->newer = member;
  newest_ = member;
  ++size_;
  member->task.start(*member);
  member->starting = false;
  if (!member->has_ended) return member;
  // Outside the coroutine, so that it can go at once: a burst of short tasks holds no memory.
  ended(*member);
  return nullptr;
}

void TaskGroup::unlink(Member& member) noexcept {
  (member.newer ? member.newer->older : newest_) = member.older;
  if (member.older) member.older->newer = member.newer;
  if (--size_ == 0) joining_.wake_all();
}

void TaskGroup::destroy(Member& member) noexcept {
  unlink(member);
  delete &member;
}

void TaskGroup::ended(Member& member) noexcept {
  unlink(member);
  report(member);
  if (member.has_ended) {
    delete &member;
    return;
  }
  // The task is still on the stack, at its last suspension.
  member.older = std::exchange(ended_, &member);
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
  size_ = 0;
  destroy_list(std::exchange(newest_, nullptr));
  if (size_ == 0) joining_.wake_all();
}

void TaskGroup::clean_up_at_turn_end() noexcept {
  if (!clean_up_.linked()) loop_.at_turn_end(clean_up_);
}

void TaskGroup::clean_up() noexcept {
  destroy_list(std::exchange(ended_, nullptr));
  if (std::exchange(cancelling_, false)) destroy();
}

void TaskGroup::destroy_list(Member* newest) noexcept {
  while (newest) delete std::exchange(newest, newest->older);
}

}  // namespace squall
