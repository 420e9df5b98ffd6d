#pragma once

#include <squall/ioloop/loop/task.h>

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace squall {

// Makes a future of another library awaitable: specialise this template for it (GEN-01).
//
//     template <class T>
//     struct squall::AwaitAdapter<other::Future<T>> {
//       // Returns anything that co_await takes: a Task, a Future, from_callback(...).
//       static squall::Task<T> convert(other::Future<T> future);
//     };
//
// The future is then awaited as `co_await adapt(std::move(future))`, and as_task(), multi(), race(),
// with_timeout() and shield() accept it. The awaitable that convert() returns must resume its coroutine from
// the loop, never from inside another function: from_callback() ensures this on any thread.
//
// A type of your own needs no adapter, only an `operator co_await` in its namespace; the same rule holds for
// it. Tasks have no await_transform(): every co_await would pass through it, and GCC 12 copies the operands
// of await_transform() and refuses awaiters that cannot be copied.
template <class Foreign>
struct AwaitAdapter;

namespace detail {

template <class A>
concept HasAdapter = requires(A&& a) { AwaitAdapter<std::remove_cvref_t<A>>::convert(std::forward<A>(a)); };
template <class A>
concept HasMemberCoAwait = requires(A&& a) { std::forward<A>(a).operator co_await(); };
template <class A>
concept HasFreeCoAwait = requires(A&& a) { operator co_await(std::forward<A>(a)); };
template <class A>
concept Awaiter = requires(A& a) {
  { a.await_ready() } -> std::convertible_to<bool>;
  a.await_suspend(std::coroutine_handle<>());
  a.await_resume();
};

// The awaiter that co_await uses for `a`.
template <class A>
decltype(auto) awaiter_of(A&& a) {
  if constexpr (HasAdapter<A>) {
    return awaiter_of(AwaitAdapter<std::remove_cvref_t<A>>::convert(std::forward<A>(a)));
  } else if constexpr (HasMemberCoAwait<A>) {
    return std::forward<A>(a).operator co_await();
  } else if constexpr (HasFreeCoAwait<A>) {
    return operator co_await(std::forward<A>(a));
  } else {
    return std::forward<A>(a);
  }
}

// An awaiter that co_await uses as it is.
template <class A>
concept PlainAwaiter = Awaiter<A> && !HasAdapter<A> && !HasMemberCoAwait<A> && !HasFreeCoAwait<A>;

// Whether an awaiter has references or views to its arguments, which live only until the end of the statement
// that made it.
template <class A>
inline constexpr bool kBorrowsArguments = false;
template <class A>
requires(A::kBorrowsArguments)
inline constexpr bool kBorrowsArguments<A> = true;

template <class A>
inline constexpr bool kIsTask = false;
template <class T>
inline constexpr bool kIsTask<Task<T>> = true;

}  // namespace detail

// A type that co_await, as_task(), multi(), race(), with_timeout() and shield() accept: among others every
// awaiter of Squall, all of which may be moved until they are awaited.
template <class A>
concept Awaitable = std::move_constructible<A> && (detail::HasAdapter<A> || detail::HasMemberCoAwait<A> ||
                                                   detail::HasFreeCoAwait<A> || detail::Awaiter<A>);

// The type of `co_await std::move(a)`.
template <Awaitable A>
using AwaitResult = decltype(detail::awaiter_of(std::declval<A>()).await_resume());

// Makes a foreign future awaitable by its AwaitAdapter.
template <detail::HasAdapter Foreign>
auto adapt(Foreign&& foreign) {
  return AwaitAdapter<std::remove_cvref_t<Foreign>>::convert(std::forward<Foreign>(foreign));
}

// Wraps an awaitable in a task. A task is returned unchanged.
template <class T>
Task<T> as_task(Task<T> task) noexcept {
  return task;
}
template <Awaitable A>
requires(!detail::kIsTask<A>)
Task<AwaitResult<A>> as_task(A awaitable) {
  if constexpr (detail::HasAdapter<A>) {
    co_return co_await adapt(std::move(awaitable));
  } else {
    co_return co_await std::move(awaitable);
  }
}

namespace detail {

template <class A>
using TaskOf = decltype(as_task(std::declval<A>()));

}  // namespace detail
}  // namespace squall
