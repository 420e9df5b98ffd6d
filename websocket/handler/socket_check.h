#pragma once

#include <squall/web/handler/handler_check.h>
#include <squall/web/handler/method_traits.h>
#include <squall/websocket/connection/message.h>
#include <squall/websocket/connection/message_stream.h>

#include <string_view>
#include <tuple>
#include <type_traits>

// The compile-time checks of a WebSocketHandler for url<H>(). Each mistake leads to one static_assert whose
// message names the remedy.
namespace squall::websocket::detail {

using web::detail::kIsMethod;
using web::detail::kIsVoidOrTask;
using web::detail::kNever;
using web::detail::ParametersOf;
using web::detail::ResultOf;

// As web::detail::Probe: finds hooks that are private, static or overloaded.
struct SocketNames {
  int open, on_message, on_ping, on_pong, on_close;
};
template <class H, bool kFinal = std::is_final_v<H>>
struct SocketProbe : H, SocketNames {};
template <class H>
struct SocketProbe<H, true> : SocketNames {};

template <class H, class P = SocketProbe<H>>
constexpr bool has_hidden_socket_hook() {
  return (!requires { &P::open; } && !requires { requires kIsMethod<&H::open>; }) ||
         (!requires { &P::on_message; } && !requires { requires kIsMethod<&H::on_message>; }) ||
         (!requires { &P::on_ping; } && !requires { requires kIsMethod<&H::on_ping>; }) ||
         (!requires { &P::on_pong; } && !requires { requires kIsMethod<&H::on_pong>; }) ||
         (!requires { &P::on_close; } && !requires { requires kIsMethod<&H::on_close>; });
}

template <class Parameters>
constexpr bool kIsMessage =
    std::is_same_v<Parameters, std::tuple<const Message&>> || std::is_same_v<Parameters, std::tuple<Message>>;
template <class Parameters>
constexpr bool kIsText = std::is_same_v<Parameters, std::tuple<std::string_view>>;

template <class H>
constexpr bool kTakesMessage = kIsMessage<ParametersOf<&H::on_message>>;
template <class H>
constexpr bool kTakesStream = std::is_same_v<ParametersOf<&H::on_message>, std::tuple<MessageStream>>;

template <class H>
constexpr bool control_hooks_take_data() {
  bool all = true;
  if constexpr (requires { &H::on_ping; }) all = all && kIsText<ParametersOf<&H::on_ping>>;
  if constexpr (requires { &H::on_pong; }) all = all && kIsText<ParametersOf<&H::on_pong>>;
  if constexpr (requires { &H::on_close; }) all = all && std::tuple_size_v<ParametersOf<&H::on_close>> == 0;
  return all;
}

template <class H>
constexpr bool socket_hooks_return_void_or_task() {
  bool all = kIsVoidOrTask<ResultOf<&H::on_message>>;
  if constexpr (requires { &H::open; }) all = all && kIsVoidOrTask<ResultOf<&H::open>>;
  if constexpr (requires { &H::on_ping; }) all = all && kIsVoidOrTask<ResultOf<&H::on_ping>>;
  if constexpr (requires { &H::on_pong; }) all = all && kIsVoidOrTask<ResultOf<&H::on_pong>>;
  if constexpr (requires { &H::on_close; }) all = all && kIsVoidOrTask<ResultOf<&H::on_close>>;
  return all;
}

template <class H>
constexpr bool open_is_converted() {
  if constexpr (requires { &H::open; })
    return web::detail::all_converted(std::type_identity<ParametersOf<&H::open>>());
  return true;
}
template <class H>
constexpr bool open_task_takes_values() {
  if constexpr (requires { &H::open; })
    return std::is_void_v<ResultOf<&H::open>> ||
           !web::detail::any_reference(std::type_identity<ParametersOf<&H::open>>());
  return true;
}

template <class H>
constexpr bool check_socket_hooks() {
  if constexpr (has_hidden_socket_hook<H>()) {
    static_assert(kNever<H>,
                  "the hooks of a WebSocketHandler (open, on_message, on_ping, on_pong, on_close) must be "
                  "public, not static and not overloaded");
  } else if constexpr (requires { requires kIsMethod<&H::get>; }) {
    static_assert(kNever<H>, "a WebSocketHandler answers GET by itself: it has open(), and no get()");
  } else if constexpr (requires { requires kIsMethod<&H::on_open>; }) {
    static_assert(kNever<H>, "the hook behind the handshake is spelled open, not on_open");
  } else if constexpr (!requires { &H::on_message; }) {
    static_assert(kNever<H>,
                  "a WebSocketHandler needs on_message(std::string_view text), or "
                  "on_message(const websocket::Message& message) to get binary messages too");
  } else if constexpr (!kIsText<ParametersOf<&H::on_message>> && !kTakesMessage<H> && !kTakesStream<H>) {
    static_assert(
        kNever<H>,
        "on_message() takes a std::string_view, which is text, a const websocket::Message&, which is "
        "text or binary, or a websocket::MessageStream, which gives it in pieces");
  } else if constexpr (kTakesStream<H> && std::is_void_v<ResultOf<&H::on_message>>) {
    static_assert(kNever<H>, "on_message(websocket::MessageStream) returns Task<>: it awaits the pieces");
  } else if constexpr (kTakesStream<H> && (requires { &H::on_ping; } || requires { &H::on_pong; })) {
    static_assert(kNever<H>,
                  "a handler with on_message(websocket::MessageStream) has no on_ping() and on_pong(): pings "
                  "within a message are answered by the connection");
  } else if constexpr (!control_hooks_take_data<H>()) {
    static_assert(kNever<H>,
                  "on_ping() and on_pong() take a std::string_view, and on_close() takes nothing: see "
                  "close_code() and close_reason()");
  } else if constexpr (!socket_hooks_return_void_or_task<H>()) {
    static_assert(kNever<H>,
                  "open(), on_message(), on_ping(), on_pong() and on_close() return void or Task<>");
  } else if constexpr (!open_is_converted<H>()) {
    static_assert(kNever<H>,
                  "a parameter of open() must be an integer, a floating point number, bool, a std::string, a "
                  "std::optional of these, or a type with an ArgumentConverter");
  } else if constexpr (!open_task_takes_values<H>()) {
    static_assert(kNever<H>,
                  "open() that returns Task<> takes its parameters by value: it outlives the call");
  } else {
    return true;
  }
  return false;
}

}  // namespace squall::websocket::detail
