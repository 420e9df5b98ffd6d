#pragma once

#include <squall/ioloop/loop/awaitable.h>
#include <squall/ioloop/loop/child_tasks.h>

#include <cassert>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace squall {

// The maximum number of tasks of a multi() that run concurrently: `multi(std::move(tasks), Limit(8))`.
class Limit {
 public:
  // Throws std::invalid_argument for 0.
  explicit constexpr Limit(std::size_t count) : count_(count) {
    if (count == 0) throw std::invalid_argument("a Limit must be at least 1");
  }
  constexpr std::size_t count() const noexcept { return count_; }

 private:
  std::size_t count_;
};

// Types of errors that multi() does not log: `multi(quiet<TimeoutError, StreamClosedError>, ...)`.
template <class... Errors>
struct Quiet {};
template <class... Errors>
inline constexpr Quiet<Errors...> quiet{};

namespace detail {

void log_further_error(const std::exception_ptr& error) noexcept;

template <class Error>
bool holds(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const Error&) {
    return true;
  } catch (...) {
    return false;
  }
}

// Counts the running children, and starts as many as the limit allows.
class MultiOwner : public TaskOwner {
 public:
  explicit MultiOwner(std::optional<Limit> limit) noexcept
      : limit_(limit ? limit->count() : std::numeric_limits<std::size_t>::max()) {}
  MultiOwner(MultiOwner&& other) noexcept : limit_(other.limit_) {
    assert(!other.caller_ && "this multi() has begun");
  }
  MultiOwner& operator=(MultiOwner&&) = delete;

 protected:
  ~MultiOwner() = default;
  // True if all have ended already.
  bool begin(std::size_t size, Caller caller) noexcept {
    size_ = size;
    caller_ = caller;
    return start_some();
  }

 private:
  // Called in order: 0, 1, 2, ...
  virtual void start(std::size_t number) noexcept = 0;
  std::coroutine_handle<> task_ended(std::size_t number) noexcept final;
  Caller caller() const noexcept final { return caller_; }
  bool start_some() noexcept;

  Caller caller_;
  std::size_t size_ = 0;
  std::size_t limit_;
  std::size_t begun_ = 0;
  std::size_t at_work_ = 0;
  bool starting_ = false;
};

}  // namespace detail

// Awaiter of multi(). May be moved until it is awaited.
template <class Tasks, class... Errors>
class [[nodiscard]] MultiAwaiter final : public detail::MultiOwner {
 public:
  template <class... Children>
  MultiAwaiter(std::optional<Limit> limit, Children&&... children)
      : MultiOwner(limit), tasks_(std::forward<Children>(children)...) {}

  bool await_ready() {
    tasks_.for_each([](std::size_t, const auto& task) { task.check_startable(); });
    return tasks_.size() == 0;
  }
  // If all children have ended when they have been started, the caller continues here. Otherwise the child
  // that ends last resumes the caller.
  bool await_suspend(detail::Caller caller) noexcept { return !begin(tasks_.size(), caller); }
  auto await_resume() {
    std::exception_ptr first;
    tasks_.for_each([&](std::size_t, auto& task) {
      std::exception_ptr error = task.error();
      if (!error) return;
      if (!first) {
        first = std::move(error);
      } else if (!(detail::holds<Errors>(error) || ...)) {
        detail::log_further_error(error);
      }
    });
    if (first) std::rethrow_exception(std::move(first));
    return tasks_.results();
  }

 private:
  void start(std::size_t number) noexcept override { tasks_.start(number, *this); }

  Tasks tasks_;
};

// co_await multi(...): runs awaitables concurrently, and waits for all of them, even if one fails (GEN-20,
// GEN-21).
//
//     std::tuple<User, Orders> both = co_await multi(fetch_user(id), fetch_orders(id));
//     std::vector<Page> pages = co_await multi(std::move(tasks), Limit(8));          // in the tasks' order
//     std::map<std::string, Page> by_name = co_await multi(std::move(named_tasks));  // by the same keys
//
// Result:    void for a container of Task<void>, or if all parts of a tuple are void; else a void part of a
//            tuple is a std::monostate. A reference is a std::reference_wrapper.
// Errors:    throws the exception of the first failed child, in the order of the list, not of time. The
//            exceptions of other children are logged, except the types in quiet<...>:
//            `multi(quiet<TimeoutError>, ...)`.
//            std::logic_error, before any starts, if a child is a task that was moved from or has begun.
// Order:     children start in order, each running to its first wait before the next starts; with a Limit,
//            when others end. If no child waits, or there are no children, the caller does not suspend. Else
//            the child that ends last resumes the caller.
// Lifetime:  owns the children: destroying the awaiting coroutine cancels them, unlike Tornado's (GEN-22);
//            shield() a child to keep it running. Allocates only the result.
template <Awaitable A>
MultiAwaiter<detail::TaskVector<AwaitResult<A>>> multi(std::vector<A> children,
                                                       std::optional<Limit> limit = std::nullopt) {
  return {limit, detail::as_tasks(std::move(children))};
}
template <class... Errors, Awaitable A>
MultiAwaiter<detail::TaskVector<AwaitResult<A>>, Errors...> multi(Quiet<Errors...>, std::vector<A> children,
                                                                  std::optional<Limit> limit = std::nullopt) {
  return {limit, detail::as_tasks(std::move(children))};
}

template <detail::MapOfTasks Map>
MultiAwaiter<detail::TaskMap<Map>> multi(Map children, std::optional<Limit> limit = std::nullopt) {
  return {limit, std::move(children)};
}
template <class... Errors, detail::MapOfTasks Map>
MultiAwaiter<detail::TaskMap<Map>, Errors...> multi(Quiet<Errors...>, Map children,
                                                    std::optional<Limit> limit = std::nullopt) {
  return {limit, std::move(children)};
}

template <Awaitable... As>
MultiAwaiter<detail::TaskTuple<AwaitResult<As>...>> multi(As... children) {
  return {std::nullopt, as_task(std::move(children))...};
}
template <class... Errors, Awaitable... As>
MultiAwaiter<detail::TaskTuple<AwaitResult<As>...>, Errors...> multi(Quiet<Errors...>, As... children) {
  return {std::nullopt, as_task(std::move(children))...};
}

}  // namespace squall
