#pragma once

#include <squall/http/message/method.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/handler/handler_check.h>
#include <squall/web/handler/path_args.h>
#include <squall/web/handler/request_handler.h>

#include <array>
#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

// The verbs and hooks of a handler class, found at compile time: a static table of function pointers. A call
// of `void get()` is one indirect call, without a virtual function, a std::function or a coroutine frame.
namespace squall::web {

enum class Called {
  done,
  pending,    // the caller must await the task
  not_found,  // a path group does not convert to its parameter
};

struct HandlerType {
  using Verb = Called (*)(RequestHandler& handler, PathGroups groups, Task<>& pending);
  using Hook = Called (*)(RequestHandler& handler, Task<>& pending);
  using DataHook = Called (*)(RequestHandler& handler, std::string_view piece, Task<>& pending);
  static constexpr int kAnyParameters = -1;

  // Null for a method without a verb. `parameters` is the number of path groups that the verb takes.
  std::array<Verb, http::kMethodCount> verbs{};
  std::array<int, http::kMethodCount> parameters{};
  bool streams_body = false;  // the handler gets the request's body as it arrives
  DataHook data_received = nullptr;
  Hook prepare = nullptr;
  void (*on_finish)(RequestHandler& handler) = nullptr;
  void (*on_connection_close)(RequestHandler& handler) = nullptr;
};

// The value of an Allow header: the methods that the class has a verb for.
std::string allowed_methods(const HandlerType& type);
// The same for several classes.
using MethodSet = std::bitset<http::kMethodCount>;
MethodSet methods_of(const HandlerType& type) noexcept;
std::string allowed_methods(const MethodSet& methods);

namespace detail {

template <class H, auto kMethod>
Called call_verb(RequestHandler& base, PathGroups groups, [[maybe_unused]] Task<>& pending) {
  using Parameters = ParametersOf<kMethod>;
  auto& handler = static_cast<H&>(base);
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    [[maybe_unused]] const auto decode = [&base](std::string bytes) {
      return base.decode_argument(std::move(bytes), {});
    };
    [[maybe_unused]] auto values = std::make_tuple(
        convert_group<std::decay_t<std::tuple_element_t<I, Parameters>>>(groups[I], decode)...);
    if (!(std::get<I>(values).has_value() && ...)) return Called::not_found;
    if constexpr (std::is_void_v<ResultOf<kMethod>>) {
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
  auto& handler = static_cast<H&>(base);
  if constexpr (std::is_void_v<ResultOf<kMethod>>) {
    (handler.*kMethod)();
    return Called::done;
  } else {
    pending = (handler.*kMethod)();
    return Called::pending;
  }
}

template <class H, auto kMethod>
Called call_data_hook(RequestHandler& base, std::string_view piece, [[maybe_unused]] Task<>& pending) {
  auto& handler = static_cast<H&>(base);
  if constexpr (std::is_void_v<ResultOf<kMethod>>) {
    (handler.*kMethod)(piece);
    return Called::done;
  } else {
    pending = (handler.*kMethod)(piece);
    return Called::pending;
  }
}

template <class H, auto kMethod>
void call_void(RequestHandler& base) {
  (static_cast<H&>(base).*kMethod)();
}

template <class H, auto kMethod>
constexpr void set_verb(HandlerType& type, http::Method method) {
  const auto index = static_cast<std::size_t>(method);
  type.verbs[index] = &call_verb<H, kMethod>;
  type.parameters[index] = static_cast<int>(std::tuple_size_v<ParametersOf<kMethod>>);
}

template <class H>
constexpr HandlerType make_handler_type() {
  using http::Method;
  HandlerType type;
  if constexpr (requires { &H::get; }) set_verb<H, &H::get>(type, Method::get);
  if constexpr (requires { &H::head; }) set_verb<H, &H::head>(type, Method::head);
  if constexpr (requires { &H::post; }) set_verb<H, &H::post>(type, Method::post);
  if constexpr (requires { &H::put; }) set_verb<H, &H::put>(type, Method::put);
  if constexpr (requires { &H::delete_; }) set_verb<H, &H::delete_>(type, Method::delete_);
  if constexpr (requires { &H::patch; }) set_verb<H, &H::patch>(type, Method::patch);
  if constexpr (requires { &H::options; }) set_verb<H, &H::options>(type, Method::options);
  if constexpr (requires { bool(H::stream_request_body); }) type.streams_body = H::stream_request_body;
  if constexpr (requires { &H::data_received; }) type.data_received = &call_data_hook<H, &H::data_received>;
  if constexpr (requires { &H::prepare; }) type.prepare = &call_hook<H, &H::prepare>;
  if constexpr (requires { &H::on_finish; }) type.on_finish = &call_void<H, &H::on_finish>;
  if constexpr (requires { &H::on_connection_close; })
    type.on_connection_close = &call_void<H, &H::on_connection_close>;
  return type;
}

}  // namespace detail

template <class H>
inline constexpr HandlerType kHandlerType = detail::make_handler_type<H>();

}  // namespace squall::web
