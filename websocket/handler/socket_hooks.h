#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/web/handler/handler_type.h>
#include <squall/web/handler/method_traits.h>
#include <squall/web/handler/path_args.h>
#include <squall/websocket/connection/message.h>
#include <squall/websocket/connection/message_stream.h>
#include <squall/websocket/handler/session.h>
#include <squall/websocket/handler/socket_check.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

// The hooks of a WebSocketHandler, found at compile time, as the verbs of web::HandlerType.
namespace squall::websocket {

struct SocketHooks {
  using Hook = web::Called (*)(web::RequestHandler& handler, Task<>& pending);
  using DataHook = web::Called (*)(web::RequestHandler& handler, std::string_view data, Task<>& pending);
  using MessageHook = web::Called (*)(web::RequestHandler& handler, const Message& message, Task<>& pending);
  using StreamHook = Task<> (*)(web::RequestHandler& handler, MessageStream message);

  web::HandlerType::Verb open = nullptr;
  MessageHook on_message = nullptr;
  StreamHook on_stream = nullptr;  // on_message() that takes a MessageStream; then there is no other one
  DataHook on_ping = nullptr;
  DataHook on_pong = nullptr;
  Hook on_close = nullptr;
  bool takes_binary = false;  // on_message() gets a Message
  bool keeps_request = true;
};

namespace detail {

template <class H>
web::Called call_on_message(web::RequestHandler& base, const Message& message,
                            [[maybe_unused]] Task<>& pending) {
  auto& handler = static_cast<H&>(base);
  const auto call = [&] {
    if constexpr (kTakesMessage<H>) {
      return handler.on_message(message);
    } else {
      return handler.on_message(message.data);
    }
  };
  if constexpr (std::is_void_v<web::detail::ResultOf<&H::on_message>>) {
    call();
    return web::Called::done;
  } else {
    pending = call();
    return pending ? web::Called::pending : web::Called::done;
  }
}

template <class H>
Task<> call_on_stream(web::RequestHandler& base, MessageStream message) {
  return static_cast<H&>(base).on_message(std::move(message));
}

template <class H>
constexpr SocketHooks make_socket_hooks() {
  SocketHooks hooks;
  if constexpr (requires { &H::open; }) hooks.open = &web::detail::call_verb<H, &H::open>;
  if constexpr (kTakesStream<H>) {
    hooks.on_stream = &call_on_stream<H>;
  } else {
    hooks.on_message = &call_on_message<H>;
  }
  if constexpr (requires { &H::on_ping; }) hooks.on_ping = &web::detail::call_data_hook<H, &H::on_ping>;
  if constexpr (requires { &H::on_pong; }) hooks.on_pong = &web::detail::call_data_hook<H, &H::on_pong>;
  if constexpr (requires { &H::on_close; }) hooks.on_close = &web::detail::call_hook<H, &H::on_close>;
  hooks.takes_binary = kTakesMessage<H>;
  if constexpr (requires { bool(H::keep_request); }) hooks.keeps_request = H::keep_request;
  return hooks;
}
template <class H>
inline constexpr SocketHooks kSocketHooks = make_socket_hooks<H>();

template <class H, class... P>
bool are_convertible(web::RequestHandler& base, [[maybe_unused]] web::PathGroups groups,
                     std::type_identity<std::tuple<P...>>) {
  [[maybe_unused]] const auto decode = [&base](std::string bytes) {
    return base.decode_argument(std::move(bytes), {});
  };
  [[maybe_unused]] std::size_t index = 0;
  return (web::detail::convert_group<std::decay_t<P>>(groups[index++], decode).has_value() && ...);
}

// The verb of GET. The groups are converted here too, because behind the 101 it is too late for a 404.
template <class H>
web::Called answer_handshake(web::RequestHandler& base, [[maybe_unused]] web::PathGroups groups,
                             Task<>& pending) {
  if constexpr (requires { &H::open; }) {
    if (!are_convertible<H>(base, groups, std::type_identity<web::detail::ParametersOf<&H::open>>()))
      return web::Called::not_found;
  }
  return begin_session(static_cast<H&>(base), kSocketHooks<H>, pending);
}

template <class H>
constexpr void complete_socket_type(web::HandlerType& type) {
  constexpr auto kGet = static_cast<std::size_t>(http::Method::get);
  type.verbs[kGet] = &answer_handshake<H>;
  if constexpr (requires { &H::open; })
    type.parameters[kGet] = static_cast<int>(std::tuple_size_v<web::detail::ParametersOf<&H::open>>);
  type.outlive = &run_session;
}

}  // namespace detail
}  // namespace squall::websocket
