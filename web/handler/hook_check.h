#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/web/handler/method_traits.h>

#include <optional>
#include <string>
#include <tuple>
#include <type_traits>

// Compile-time checks of the hooks of a handler class: all of its members that are not verbs.
namespace squall::web::detail {

template <class H>
constexpr bool hooks_return_void_or_task() {
  bool all = true;
  if constexpr (requires { &H::initialize; }) all = all && kIsVoidOrTask<ResultOf<&H::initialize>>;
  if constexpr (requires { &H::prepare; }) all = all && kIsVoidOrTask<ResultOf<&H::prepare>>;
  if constexpr (requires { &H::on_finish; }) all = all && kIsVoidOrTask<ResultOf<&H::on_finish>>;
  return all;
}
template <class H>
constexpr bool close_hook_returns_void() {
  if constexpr (requires { &H::on_connection_close; })
    return std::is_void_v<ResultOf<&H::on_connection_close>>;
  return true;
}

// The user's type, from the result of get_current_user(): T of std::optional<T> or Task<std::optional<T>>.
template <class Result>
struct UserOf {
  static constexpr bool kKnown = false;
};
template <class T>
struct UserOf<std::optional<T>> {
  static constexpr bool kKnown = true;
  using Type = T;
};
template <class T>
struct UserOf<Task<std::optional<T>>> : UserOf<std::optional<T>> {};
template <class H>
constexpr bool user_is_optional() {
  if constexpr (requires { &H::get_current_user; })
    return UserOf<ResultOf<&H::get_current_user>>::kKnown &&
           std::tuple_size_v<ParametersOf<&H::get_current_user>> == 0;
  return true;
}
template <class H>
constexpr bool login_url_is_text() {
  using Result = ResultOf<&H::get_login_url>;
  return (std::is_same_v<Result, std::string> || std::is_same_v<Result, Task<std::string>>) &&  //
         std::tuple_size_v<ParametersOf<&H::get_login_url>> == 0;
}
template <class H>
constexpr bool etag_is_optional_text() {
  if constexpr (requires { &H::compute_etag; })
    return std::is_same_v<ResultOf<&H::compute_etag>, std::optional<std::string>>;
  return true;
}

template <class H, class... Args>
constexpr bool initialize_takes_arguments() {
  if constexpr (requires { &H::initialize; })
    return requires(H& handler, const Args&... arguments) { handler.initialize(arguments...); };
  return sizeof...(Args) == 0;
}

}  // namespace squall::web::detail
