#pragma once

#include <squall/ioloop/loop/awaitable.h>

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

// Containers of the tasks that multi() and race() run concurrently. Each has
//
//     size()                 the number of tasks
//     start(n, owner)        starts task n, which calls `owner` when it ends
//     for_each(visit)        calls visit(n, task) for each task, in order
namespace squall::detail {

// The type that stores a task's result in a container, which cannot hold void or references.
template <class T>
struct KeptResult {
  using type = T;
};
template <class T>
struct KeptResult<T&> {
  using type = std::reference_wrapper<T>;
};
template <>
struct KeptResult<void> {
  using type = std::monostate;
};
template <class T>
using Kept = typename KeptResult<T>::type;

template <class T>
Kept<T> take_result(Task<T>& task) {
  if constexpr (std::is_void_v<T>) {
    task.result();
    return {};
  } else {
    return task.result();
  }
}

template <class A>
auto as_tasks(std::vector<A> children) {
  if constexpr (kIsTask<A>) {
    return children;
  } else {
    std::vector<TaskOf<A>> tasks;
    tasks.reserve(children.size());
    for (A& child : children) tasks.push_back(as_task(std::move(child)));
    return tasks;
  }
}

template <class T>
class TaskVector {
 public:
  explicit TaskVector(std::vector<Task<T>> tasks) noexcept : tasks_(std::move(tasks)) {}

  std::size_t size() const noexcept { return tasks_.size(); }
  void start(std::size_t number, TaskOwner& owner) noexcept { tasks_[number].start(owner, number); }
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t i = 0; i < tasks_.size(); ++i) visit(i, tasks_[i]);
  }
  Task<T>& operator[](std::size_t number) noexcept { return tasks_[number]; }

  auto results() {
    if constexpr (!std::is_void_v<T>) {
      std::vector<Kept<T>> results;
      results.reserve(tasks_.size());
      for (Task<T>& task : tasks_) results.push_back(task.result());
      return results;
    }
  }

 private:
  std::vector<Task<T>> tasks_;
};

template <class... Ts>
class TaskTuple {
 public:
  explicit TaskTuple(Task<Ts>... tasks) noexcept : tasks_(std::move(tasks)...) {}

  static constexpr std::size_t size() noexcept { return sizeof...(Ts); }
  void start(std::size_t number, TaskOwner& owner) noexcept {
    for_each([&](std::size_t i, auto& task) {
      if (i == number) task.start(owner, number);
    });
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    std::apply(
        [&](auto&... task) {
          [[maybe_unused]] std::size_t i = 0;
          (visit(i++, task), ...);
        },
        tasks_);
  }
  template <std::size_t I>
  auto& get() noexcept {
    return std::get<I>(tasks_);
  }

  auto results() {
    if constexpr (!(std::is_void_v<Ts> && ...)) {
      return std::apply([](auto&... task) { return std::tuple<Kept<Ts>...>(take_result(task)...); }, tasks_);
    }
  }

 private:
  std::tuple<Task<Ts>...> tasks_;
};

}  // namespace squall::detail
