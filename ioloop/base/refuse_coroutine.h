#pragma once

#include <type_traits>

namespace squall::detail {

// An awaiter that may be dropped says so by a member kMayBeDropped: WriteAwaiter.
template <class Result>
concept MayBeDropped = requires { requires std::remove_cvref_t<Result>::kMayBeDropped; };

// A type whose values do nothing unless they are awaited: a Task, a generator, an awaiter.
template <class Result>
concept DoesNothingUnlessAwaited = requires {
  typename std::remove_cvref_t<Result>::promise_type;
} || (requires(std::remove_cvref_t<Result>& result) { result.await_ready(); } && !MayBeDropped<Result>);

// Refuses a function whose result would be dropped before it has begun (IOL-44).
template <class Function, class... Arguments>
constexpr void refuse_coroutine() {
  static_assert(!DoesNothingUnlessAwaited<std::invoke_result_t<Function, Arguments...>>,
                "this function is a callback, and its Task would never run: start the Task in the callback, "
                "by IOLoop::spawn()");
}

}  // namespace squall::detail
