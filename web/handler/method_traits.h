#pragma once

#include <squall/ioloop/loop/task.h>

#include <tuple>
#include <type_traits>

// The result and the parameters of member functions.
namespace squall::web::detail {

template <class Method>
struct MethodTraits;  // defined for member functions only
template <class C, class R, class... P>
struct MethodTraits<R (C::*)(P...)> {
  using Result = R;
  using Parameters = std::tuple<P...>;
};
template <class C, class R, class... P>
struct MethodTraits<R (C::*)(P...) const> : MethodTraits<R (C::*)(P...)> {};
template <class C, class R, class... P>
struct MethodTraits<R (C::*)(P...) noexcept> : MethodTraits<R (C::*)(P...)> {};
template <class C, class R, class... P>
struct MethodTraits<R (C::*)(P...) const noexcept> : MethodTraits<R (C::*)(P...)> {};

template <auto kMethod>
using ResultOf = typename MethodTraits<decltype(kMethod)>::Result;
template <auto kMethod>
using ParametersOf = typename MethodTraits<decltype(kMethod)>::Parameters;

// kMethod is a member function that is not static.
template <auto kMethod>
constexpr bool kIsMethod = requires { typename MethodTraits<decltype(kMethod)>::Result; };

template <class Result>
constexpr bool kIsVoidOrTask = std::is_void_v<Result> || std::is_same_v<Result, Task<>>;

}  // namespace squall::web::detail
