#pragma once

#include <squall/ioloop/base/refuse_coroutine.h>

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

namespace squall {

// A `std::function<void(Arguments...)>` that refuses coroutines, because nothing would run their tasks. Other
// results are dropped.
//
// Do not store it in a std::function, which would not be empty for an empty VoidFunction.
template <class... Arguments>
class VoidFunction : public std::function<void(Arguments...)> {
 public:
  VoidFunction() noexcept = default;
  VoidFunction(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor): as std::function
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, VoidFunction> &&
           std::is_invocable_v<std::decay_t<F>&, Arguments...>)
  VoidFunction(F&& function)  // NOLINT(google-explicit-constructor): as std::function
      : std::function<void(Arguments...)>(std::forward<F>(function)) {
    detail::refuse_coroutine<std::decay_t<F>&, Arguments...>();
  }
};

}  // namespace squall
