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
    // The loop logs it, with the place it was shielded at.
    if (promise.cancelled()) throw;
    promise.set_exception(std::current_exception());
  }
}

}  // namespace detail

// co_await shield(work()): the awaiting coroutine may be destroyed, by a timeout or because a client went
// away, and the work goes on. It begins at once, as IOLoop::spawn() begins it, and the future waits for it.
//
// Lifetime:  the loop owns the work, and destroys it only with itself; the future then throws BrokenPromise.
// Errors:    go to whoever awaits the future. If nobody is left to do so, they are logged.
template <Awaitable A>
Future<AwaitResult<A>> shield(A work, std::source_location where = std::source_location::current()) {
  Promise<AwaitResult<A>> promise;
  Future<AwaitResult<A>> future = promise.get_future();
  IOLoop::current().spawn(detail::run_shielded(as_task(std::move(work)), std::move(promise)), where);
  return future;
}

}  // namespace squall
