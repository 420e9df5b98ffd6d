#include <squall/ioloop/task_group.h>

#include <squall/ioloop/ioloop.h>
#include <squall/ioloop/log.h>

#include <utility>

namespace squall {

struct TaskGroup::Node final : detail::TaskOwner, Pooled {
  Node(TaskGroup& group, Task<void> task, std::source_location added_at) noexcept
      : group(group), task(std::move(task)), added_at(added_at) {}

  void task_ended() noexcept override {
    if (starting) {
      has_ended = true;  // add() is on the stack and does the rest
    } else {
      group.ended(*this);
    }
  }

  TaskGroup& group;
  Task<void> task;
  std::source_location added_at;
  Node* older = nullptr;
  Node* newer = nullptr;
  bool starting = true;
  bool has_ended = false;
};

TaskGroup::TaskGroup(IOLoop& loop, ErrorHandler on_error) : loop_(loop), on_error_(std::move(on_error)) {}

TaskGroup::~TaskGroup() {
  if (clean_up_) loop_.cancel_at_turn_end(clean_up_);
  destroy_list(std::exchange(ended_, nullptr));
  // What is destroyed may add to the group.
  while (newest_) destroy_list(std::exchange(newest_, nullptr));
}

void TaskGroup::add(Task<void> task, std::source_location added_at) {
  auto* node = new Node(*this, std::move(task), added_at);
  node->older = newest_;
  if (newest_) newest_->newer = node;
  newest_ = node;
  ++size_;
  node->task.start(*node);
  node->starting = false;
  // Outside the coroutine, so that it can go at once: a burst of short tasks holds no memory.
  if (node->has_ended) ended(*node);
}

void TaskGroup::ended(Node& node) noexcept {
  (node.newer ? node.newer->older : newest_) = node.older;
  if (node.older) node.older->newer = node.newer;
  --size_;
  report(node);
  if (size_ == 0) joining_.wake_all();
  if (node.has_ended) {
    delete &node;
    return;
  }
  // The task is still on the stack, at its last suspension.
  node.older = std::exchange(ended_, &node);
  clean_up_at_turn_end();
}

void TaskGroup::report(Node& node) noexcept {
  try {
    try {
      node.task.result();
    } catch (...) {
      if (!on_error_) throw;
      on_error_(std::current_exception(), node.added_at);
    }
  } catch (const std::exception& error) {
    log::application().error("Exception in task added at {}:{}: {}", node.added_at.file_name(), node.added_at.line(),
                             error.what());
  } catch (...) {
    log::application().error("Exception in task added at {}:{}: not a std::exception", node.added_at.file_name(),
                             node.added_at.line());
  }
}

void TaskGroup::cancel() {
  cancelling_ = true;
  clean_up_at_turn_end();
}

void TaskGroup::destroy() noexcept {
  size_ = 0;
  destroy_list(std::exchange(newest_, nullptr));
  if (size_ == 0) joining_.wake_all();
}

void TaskGroup::clean_up_at_turn_end() {
  if (clean_up_) return;
  clean_up_ = loop_.at_turn_end([](void* self) { static_cast<TaskGroup*>(self)->clean_up(); }, this);
}

void TaskGroup::clean_up() noexcept {
  clean_up_ = 0;
  destroy_list(std::exchange(ended_, nullptr));
  if (std::exchange(cancelling_, false)) destroy();
}

void TaskGroup::destroy_list(Node* newest) noexcept {
  while (newest) delete std::exchange(newest, newest->older);
}

}  // namespace squall
