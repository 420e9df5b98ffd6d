#pragma once

#include <squall/http/message/method.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/path_args.h>
#include <squall/web/request_handler.h>

#include <array>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

// What a handler class has, found while compiling: a static table of function pointers. A plain `void get()`
// then costs one indirect call: no virtual verb, no std::function, no coroutine frame.
namespace squall::web {

enum class Called {
  done,
  pending,    // the task has yet to run
  not_found,  // a path group is not what the parameter takes
};

struct HandlerType {
  using Verb = Called (*)(RequestHandler& handler, PathGroups groups, Task<>& pending);
  using Hook = Called (*)(RequestHandler& handler, Task<>& pending);
  static constexpr int kAnyParameters = -1;

  // Null where the class has none; `parameters` is how many path groups the verb takes.
  std::array<Verb, http::kMethodCount> verbs{};
  std::array<int, http::kMethodCount> parameters{};
  bool streams_body = false;  // it reads the request's body itself
  Hook prepare = nullptr;
  void (*on_finish)(RequestHandler& handler) = nullptr;
  void (*on_connection_close)(RequestHandler& handler) = nullptr;
};

// The value of an Allow header: the methods that the class has a verb for.
std::string allowed_methods(const HandlerType& type);

namespace detail {

template <class Method>
struct MethodTraits;
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

template <class Result, class... P>
constexpr void check_verb(std::type_identity<std::tuple<P...>>) {
  static_assert(std::is_void_v<Result> || std::is_same_v<Result, Task<>>, "a verb returns void or Task<>");
  static_assert(std::is_void_v<Result> || !(std::is_reference_v<P> || ...),
                "a verb that returns Task<> takes its parameters by value: it outlives the call");
}

template <class H, auto kMethod>
Called call_verb(RequestHandler& base, PathGroups groups, [[maybe_unused]] Task<>& pending) {
  using Traits = MethodTraits<decltype(kMethod)>;
  using Parameters = typename Traits::Parameters;
  check_verb<typename Traits::Result>(std::type_identity<Parameters>());
  auto& handler = static_cast<H&>(base);
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    [[maybe_unused]] auto values =
        std::make_tuple(convert_group<std::decay_t<std::tuple_element_t<I, Parameters>>>(groups[I])...);
    if (!(std::get<I>(values).has_value() && ...)) return Called::not_found;
    if constexpr (std::is_void_v<typename Traits::Result>) {
      (handler.*kMethod)(std::move(*std::get<I>(values))...);
      return Called::done;
    } else {
      pending = (handler.*kMethod)(std::move(*std::get<I>(values))...);
      return Called::pending;
    }
  }(std::make_index_sequence<std::tuple_size_v<Parameters>>());
}

template <class H, auto kMethod>
Called call_hook(RequestHandler& base, [[maybe_unused]] Task<>& pending) {
  using Result = typename MethodTraits<decltype(kMethod)>::Result;
  static_assert(std::is_void_v<Result> || std::is_same_v<Result, Task<>>, "prepare() returns void or Task<>");
  auto& handler = static_cast<H&>(base);
  if constexpr (std::is_void_v<Result>) {
    (handler.*kMethod)();
    return Called::done;
  } else {
    pending = (handler.*kMethod)();
    return Called::pending;
  }
}

template <class H, auto kMethod>
void call_plainly(RequestHandler& base) {
  static_assert(std::is_void_v<typename MethodTraits<decltype(kMethod)>::Result>, "on_finish() returns void");
  (static_cast<H&>(base).*kMethod)();
}

// A name that a class and this one both have is ambiguous in their common heir, private or not: so a verb
// that cannot be called from here is told from one that is not there.
struct Names {
  int get, head, post, put, delete_, patch, options, prepare, on_finish, on_connection_close, initialize;
};
template <class H, bool kFinal = std::is_final_v<H>>
struct Probe : H, Names {};
template <class H>
struct Probe<H, true> : Names {};  // cannot be derived from, and so not be probed

template <bool kCallable, bool kNamed>
constexpr void check_access() {
  static_assert(
      kCallable || !kNamed,
      "a handler's verbs and hooks (get, post, ..., prepare, initialize) must be public and not overloaded");
}

template <class H, auto kMethod>
constexpr void set_verb(HandlerType& type, http::Method method) {
  const auto index = static_cast<std::size_t>(method);
  type.verbs[index] = &call_verb<H, kMethod>;
  type.parameters[index] =
      static_cast<int>(std::tuple_size_v<typename MethodTraits<decltype(kMethod)>::Parameters>);
}

template <class H>
constexpr HandlerType make_handler_type() {
  using http::Method;
  using P = Probe<H>;
  HandlerType type;
  check_access<requires { &H::get; }, !requires { &P::get; }>();
  check_access<requires { &H::head; }, !requires { &P::head; }>();
  check_access<requires { &H::post; }, !requires { &P::post; }>();
  check_access<requires { &H::put; }, !requires { &P::put; }>();
  check_access<requires { &H::delete_; }, !requires { &P::delete_; }>();
  check_access<requires { &H::patch; }, !requires { &P::patch; }>();
  check_access<requires { &H::options; }, !requires { &P::options; }>();
  check_access<requires { &H::prepare; }, !requires { &P::prepare; }>();
  check_access<requires { &H::on_finish; }, !requires { &P::on_finish; }>();
  check_access<requires { &H::on_connection_close; }, !requires { &P::on_connection_close; }>();
  check_access<requires { &H::initialize; }, !requires { &P::initialize; }>();
  if constexpr (requires { &H::get; }) set_verb<H, &H::get>(type, Method::get);
  if constexpr (requires { &H::head; }) set_verb<H, &H::head>(type, Method::head);
  if constexpr (requires { &H::post; }) set_verb<H, &H::post>(type, Method::post);
  if constexpr (requires { &H::put; }) set_verb<H, &H::put>(type, Method::put);
  if constexpr (requires { &H::delete_; }) set_verb<H, &H::delete_>(type, Method::delete_);
  if constexpr (requires { &H::patch; }) set_verb<H, &H::patch>(type, Method::patch);
  if constexpr (requires { &H::options; }) set_verb<H, &H::options>(type, Method::options);
  if constexpr (requires { bool(H::stream_request_body); }) type.streams_body = H::stream_request_body;
  if constexpr (requires { &H::prepare; }) type.prepare = &call_hook<H, &H::prepare>;
  if constexpr (requires { &H::on_finish; }) type.on_finish = &call_plainly<H, &H::on_finish>;
  if constexpr (requires { &H::on_connection_close; })
    type.on_connection_close = &call_plainly<H, &H::on_connection_close>;
  return type;
}

}  // namespace detail

template <class H>
inline constexpr HandlerType kHandlerType = detail::make_handler_type<H>();

}  // namespace squall::web
