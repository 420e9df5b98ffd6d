#pragma once

#include <squall/http/message/method.h>
#include <squall/http/server/request.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/handler/asked_user.h>
#include <squall/web/handler/handler_check.h>
#include <squall/web/handler/path_args.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/handler/template_hooks.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

// The verbs and hooks of a handler class, found at compile time: a static table of function pointers. A call
// of `void get()` is one indirect call, without a virtual function, a std::function or a coroutine frame.
namespace squall::web {

struct KeptHandler;

enum class Called {
  done,
  pending,    // the caller must await the task
  not_found,  // a path group does not convert to its parameter
};

struct HandlerType {
  using Verb = Called (*)(RequestHandler& handler, PathGroups groups, Task<>& pending);
  using Hook = Called (*)(RequestHandler& handler, Task<>& pending);
  using DataHook = Called (*)(RequestHandler& handler, std::string_view piece, Task<>& pending);
  using LoginUrl = std::string (*)(RequestHandler& handler);
  using LoginUrlTask = Task<std::string> (*)(RequestHandler& handler);
  using Tag = std::optional<std::string> (*)(RequestHandler& handler);
  struct Extra {
    std::string_view method;
    Verb verb;
    int parameters;
  };

  // Null if the class has no verb for the request's method. `get` answers HEAD unless the class has `head`
  // (RFC 9110, 9.3.2).
  Verb verb_for(const http::ServerRequest& request) const noexcept {
    const http::Method method = request.method();
    if (method == http::Method::other) [[unlikely]]
      return extra_verb(request.method_name());
    return verbs[static_cast<std::size_t>(method)];
  }
  Verb extra_verb(std::string_view method) const noexcept;
  bool has_verbs() const noexcept;

  // Null for a method without a verb. `parameters` is the number of path groups that the verb takes.
  std::array<Verb, http::kMethodCount> verbs{};
  std::array<int, http::kMethodCount> parameters{};
  std::span<const Extra> extra_verbs{};  // of ExtraMethods
  std::string_view accept_query{};       // the value of Accept-Query
  bool streams_body = false;             // the handler gets the request's body as it arrives
  bool authenticated = false;            // the verbs are for users alone
  bool has_conditions = false;           // it is authenticated, or has query
  bool user_needs_task = false;          // current_user is a task
  bool has_hooks_before_verb = false;    // before, user_needs_task, prepare or data_received
  Hook before = nullptr;                 // of the middleware around the handler
  Hook current_user = nullptr;           // asks get_current_user(), and keeps the result
  // get_login_url() of the class, in one of its two forms; both null: Settings::login_url.
  LoginUrl login_url = nullptr;
  LoginUrlTask login_url_task = nullptr;
  // With `login_url_task`; a program without such a class does not link it.
  Task<> (*answer_without_user)(RequestHandler& handler) = nullptr;
  Tag compute_etag = nullptr;
  const TemplateHooks* templates = nullptr;  // null if it has none of them
  DataHook data_received = nullptr;
  Hook prepare = nullptr;
  Hook on_finish = nullptr;
  // Runs a handler that outlives its request, behind detach(): a task of the server. Null for others, which
  // end with the request.
  Task<> (*outlive)(std::unique_ptr<KeptHandler> kept) = nullptr;
  // Before the error page of a handler that was not initialized.
  void (*on_begin)(RequestHandler& handler) noexcept = nullptr;
  void (*on_connection_close)(RequestHandler& handler) = nullptr;
};

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
      // A verb that is not a coroutine itself may return an empty task: it has answered already.
      return pending ? Called::pending : Called::done;
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

template <class H, MethodName kName, auto kVerb>
constexpr HandlerType::Extra extra_of(std::type_identity<ExtraMethod<kName, kVerb>>) {
  return {kName.view(), &call_verb<H, kVerb>, static_cast<int>(std::tuple_size_v<ParametersOf<kVerb>>)};
}
template <class H, class... Methods>
constexpr std::array<HandlerType::Extra, sizeof...(Methods)> extras_of(
    std::type_identity<ExtraMethods<Methods...>>) {
  return {extra_of<H>(std::type_identity<Methods>())...};
}
template <class H>
inline constexpr auto kExtraVerbs = extras_of<H>(std::type_identity<typename H::extra_methods>());

template <class H>
constexpr bool kUserNeedsTask = !requires(H& handler) { handler.get_current_user().has_value(); };
template <class H>
Called ask_user(RequestHandler& base, [[maybe_unused]] Task<>& pending) {
  auto& handler = static_cast<H&>(base);
  if constexpr (kUserNeedsTask<H>) {
    pending = keep_user(base, handler.get_current_user());
    return Called::pending;
  } else {
    handler.set_current_user(handler.get_current_user());
    return Called::done;
  }
}

template <class H>
auto ask_login_url(RequestHandler& base) {
  return static_cast<H&>(base).get_login_url();
}
template <class H>
constexpr void set_login_url(HandlerType& type) {
  if constexpr (std::is_same_v<decltype(&H::get_login_url), decltype(&RequestHandler::get_login_url)>) {
    return;
  } else if constexpr (std::is_same_v<ResultOf<&H::get_login_url>, std::string>) {
    type.login_url = &ask_login_url<H>;
  } else {
    type.login_url_task = &ask_login_url<H>;
    type.answer_without_user = &answer_without_user;
  }
}

template <class H>
std::optional<std::string> compute_etag(RequestHandler& base) {
  return static_cast<H&>(base).compute_etag();
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
  if constexpr (requires { &H::query; }) set_verb<H, &H::query>(type, Method::query);
  if constexpr (requires { &H::get; } && !requires { &H::head; }) set_verb<H, &H::get>(type, Method::head);
  if constexpr (requires { typename H::extra_methods; }) type.extra_verbs = kExtraVerbs<H>;
  if constexpr (requires { std::string_view(H::accept_query); }) type.accept_query = H::accept_query;
  if constexpr (requires { bool(H::authenticated); }) type.authenticated = H::authenticated;
  if constexpr (requires { &H::get_current_user; }) {
    type.current_user = &ask_user<H>;
    type.user_needs_task = kUserNeedsTask<H>;
  }
  set_login_url<H>(type);
  if constexpr (requires { &H::compute_etag; }) type.compute_etag = &compute_etag<H>;
  if constexpr (kHasTemplateHooks<H>) type.templates = &kTemplateHooks<H>;
  if constexpr (requires { bool(H::stream_request_body); }) type.streams_body = H::stream_request_body;
  if constexpr (requires { &H::data_received; }) type.data_received = &call_data_hook<H, &H::data_received>;
  if constexpr (requires { &H::prepare; }) type.prepare = &call_hook<H, &H::prepare>;
  if constexpr (requires { &H::on_finish; }) type.on_finish = &call_hook<H, &H::on_finish>;
  if constexpr (requires { &H::on_connection_close; })
    type.on_connection_close = &call_void<H, &H::on_connection_close>;
  // A base class for another kind of handler, such as websocket::WebSocketHandler, adds verbs for the hooks
  // of its own.
  if constexpr (kIsOtherKind<H>) H::template complete_type<H>(type);
  type.has_hooks_before_verb = type.user_needs_task || type.prepare || type.data_received;
  type.has_conditions = type.authenticated || type.verbs[static_cast<std::size_t>(Method::query)];
  return type;
}

}  // namespace detail

template <class H>
inline constexpr HandlerType kHandlerType = detail::make_handler_type<H>();

}  // namespace squall::web
