#pragma once

#include <squall/ioloop/loop/awaitable.h>

#include <cstddef>
#include <functional>
#include <map>
#include <tuple>
#include <type_traits>
#include <unordered_map>
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

// Tasks by name: a std::map or std::unordered_map. They start in the order of the container.
template <class Map, class Result>
struct WithMapped;
template <class K, class V, class Compare, class Allocator, class Result>
struct WithMapped<std::map<K, V, Compare, Allocator>, Result> {
  using type = std::map<K, Kept<Result>, Compare>;
};
template <class K, class V, class Hash, class Equal, class Allocator, class Result>
struct WithMapped<std::unordered_map<K, V, Hash, Equal, Allocator>, Result> {
  using type = std::unordered_map<K, Kept<Result>, Hash, Equal>;
};

template <class Map>
concept MapOfTasks = requires {
  typename Map::key_type;
  typename WithMapped<Map, int>::type;
  requires kIsTask<typename Map::mapped_type>;
};

template <class Map>
class TaskMap {
 public:
  using T = typename Map::mapped_type::value_type;

  explicit TaskMap(Map tasks) : tasks_(std::move(tasks)) {}

  std::size_t size() const noexcept { return tasks_.size(); }
  // In order: number 0 first.
  void start(std::size_t number, TaskOwner& owner) noexcept {
    if (number == 0) next_ = tasks_.begin();
    (next_++)->second.start(owner, number);
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    std::size_t i = 0;
    for (auto& [name, task] : tasks_) visit(i++, task);
  }
  auto results() {
    if constexpr (!std::is_void_v<T>) {
      typename WithMapped<Map, T>::type results;
      for (auto& [name, task] : tasks_) results.emplace_hint(results.end(), name, task.result());
      return results;
    }
  }

 private:
  Map tasks_;
  typename Map::iterator next_;
};

}  // namespace squall::detail
