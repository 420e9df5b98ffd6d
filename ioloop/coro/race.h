#pragma once

#include <squall/ioloop/loop/awaitable.h>
#include <squall/ioloop/loop/child_tasks.h>

#include <cassert>
#include <coroutine>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace squall {

// Result of a race between tasks of one type: the index of the winner and its value.
template <class T>
struct RaceResult {
  std::size_t index;
  detail::Kept<T> value;
};
template <>
struct RaceResult<void> {
  std::size_t index;
};

namespace detail {

// Waits for the first child to end.
class RaceOwner : public TaskOwner {
 public:
  RaceOwner() noexcept = default;
  RaceOwner([[maybe_unused]] RaceOwner&& other) noexcept {
    assert(!other.caller_ && "this race() has begun");
  }
  RaceOwner& operator=(RaceOwner&&) = delete;

 protected:
  static constexpr std::size_t kNobody = std::numeric_limits<std::size_t>::max();
  ~RaceOwner() = default;

  // True if there is a winner already.
  template <class Start>
  bool begin(std::size_t size, Caller caller, Start&& start) noexcept {
    caller_ = caller;
    for (std::size_t i = 0; i < size && winner_ == kNobody; ++i) start(i);
    // A child that wins while the children are started must not resume the caller.
    is_starting_ = false;
    return winner_ != kNobody;
  }
  std::size_t winner() const noexcept { return winner_; }

 private:
  std::coroutine_handle<> task_ended(std::size_t number) noexcept final {
    if (winner_ != kNobody) return std::noop_coroutine();
    winner_ = number;
    if (is_starting_) return std::noop_coroutine();
    return caller_;
  }

  Caller caller() const noexcept final { return caller_; }

  Caller caller_;
  std::size_t winner_ = kNobody;
  bool is_starting_ = true;
};

template <class T>
class RaceVector : public TaskVector<T> {
 public:
  using TaskVector<T>::TaskVector;
  using Result = RaceResult<T>;

  Result result_of(std::size_t number) {
    if constexpr (std::is_void_v<T>) {
      (*this)[number].result();
      return {number};
    } else {
      return {number, (*this)[number].result()};
    }
  }
};

template <class... Ts>
class RaceTuple : public TaskTuple<Ts...> {
 public:
  using TaskTuple<Ts...>::TaskTuple;
  using Result = std::variant<Kept<Ts>...>;

  template <std::size_t I = 0>
  Result result_of(std::size_t number) {
    if constexpr (I + 1 < sizeof...(Ts)) {
      if (number != I) return result_of<I + 1>(number);
    }
    return Result(std::in_place_index<I>, take_result(this->template get<I>()));
  }
};

}  // namespace detail

// Awaiter of race(). May be moved until it is awaited.
template <class Tasks>
class [[nodiscard]] RaceAwaiter final : public detail::RaceOwner {
 public:
  explicit RaceAwaiter(Tasks tasks) noexcept : tasks_(std::move(tasks)) {}

  bool await_ready() {
    tasks_.for_each([](std::size_t, const auto& task) { task.check_startable(); });
    return false;
  }
  bool await_suspend(detail::Caller caller) noexcept {
    return !begin(tasks_.size(), caller, [this](std::size_t i) { tasks_.start(i, *this); });
  }
  typename Tasks::Result await_resume() {
    tasks_.for_each([this](std::size_t i, auto& task) {
      if (i != winner()) task.reset();
    });
    return tasks_.result_of(winner());
  }

 private:
  Tasks tasks_;
};

// co_await race(...): runs awaitables concurrently until the first ends, with a value or an exception, and
// cancels the others by destroying them.
//
//     auto first = co_await race(read_from(a), read_from(b), sleep(5s));  // a std::variant, by index
//     auto fastest = co_await race(std::move(tasks));                     // {index, value}, of a vector
//
// Result:    a variant with the winner's value at the winner's index; RaceResult for a vector. void is
//            std::monostate in a variant, and left out of RaceResult.
// Errors:    throws the exception of the winner. An empty vector throws std::invalid_argument. A task that
//            was moved from or has begun throws std::logic_error, before any child starts.
// Order:     children start in order, each running to its first wait before the next starts. If a child ends
//            without waiting, the later ones never start, and the caller does not suspend. Else the winner
//            resumes the caller directly; a value that another child waits for is not lost, even if it
//            arrives in the same turn.
// Lifetime:  owns the children: destroying the awaiting coroutine cancels them. Children are destroyed while
//            they wait. A child must not resume another child directly, because the race would destroy it
//            while it runs. No function of Squall resumes a coroutine directly.
template <Awaitable A>
RaceAwaiter<detail::RaceVector<AwaitResult<A>>> race(std::vector<A> children) {
  if (children.empty()) throw std::invalid_argument("a race() of no tasks has no winner");
  using Tasks = detail::RaceVector<AwaitResult<A>>;
  return RaceAwaiter<Tasks>(Tasks(detail::as_tasks(std::move(children))));
}
template <Awaitable... As>
requires(sizeof...(As) > 0)
RaceAwaiter<detail::RaceTuple<AwaitResult<As>...>> race(As... children) {
  using Tasks = detail::RaceTuple<AwaitResult<As>...>;
  return RaceAwaiter<Tasks>(Tasks(as_task(std::move(children))...));
}

}  // namespace squall
