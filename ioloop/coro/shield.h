#pragma once

#include <squall/ioloop/loop/awaitable.h>
#include <squall/ioloop/loop/future.h>
#include <squall/ioloop/loop/ioloop.h>

#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

namespace squall {

namespace detail {

template <class T>
Task<> run_shielded(Task<T> task, Promise<T> promise) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      promise.set_value();
    } else {
      T value = co_await std::move(task);
      promise.set_value(std::move(value));
    }
  } catch (...) {
    // The loop logs the exception, with the place of the call of shield().
    if (promise.cancelled()) throw;
    promise.set_exception(std::current_exception());
  }
}

}  // namespace detail

// co_await shield(work()): runs `work` as IOLoop::spawn() does, and returns a future of its result. The work
// continues if the awaiting coroutine is destroyed, for instance by a timeout.
//
// Lifetime:  the loop owns the work; if the loop is destroyed before the work ends, the future throws
//            BrokenPromise. Objects that the work borrows must outlive it. An awaiter that borrows its
//            arguments, such as queue.put(std::move(item)), does not compile.
// Errors:    the future throws the exception of the work. If the future was destroyed, the exception is
//            logged.
template <Awaitable A>
Future<AwaitResult<A>> shield(A work, std::source_location where = std::source_location::current()) {
  static_assert(!detail::kBorrowsArguments<A>,
                "this awaitable borrows its arguments, which the work would outlive: await it in a coroutine "
                "that owns them, and shield that coroutine");
  Promise<AwaitResult<A>> promise;
  Future<AwaitResult<A>> future = promise.get_future();
  IOLoop::current().spawn(detail::run_shielded(as_task(std::move(work)), std::move(promise)), where);
  return future;
}

}  // namespace squall
