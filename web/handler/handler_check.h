#pragma once

#include <squall/web/handler/extra_methods.h>
#include <squall/web/handler/hook_check.h>
#include <squall/web/handler/method_traits.h>
#include <squall/web/handler/path_args.h>

#include <string_view>
#include <tuple>
#include <type_traits>

// The compile-time checks of url<H>(). Each mistake leads to one static_assert whose message names the
// remedy.
namespace squall::web {

class RequestHandler;

namespace detail {

// Finds members that H has but that cannot be named from here, because they are private or overloaded. A name
// that both H and Names have is ambiguous in Probe, which derives from both; a name that H lacks is not.
struct Names {
  int get, head, post, put, delete_, patch, options, query, prepare, data_received, on_finish,
      on_connection_close, initialize, get_current_user, get_login_url, compute_etag;
};
template <class H, bool kFinal = std::is_final_v<H>>
struct Probe : H, Names {};
template <class H>
struct Probe<H, true> : Names {};  // a final class cannot be probed

template <class H, class P = Probe<H>>
constexpr bool has_hidden_hook() {
  return (!requires { &P::get; } && !requires { requires kIsMethod<&H::get>; }) ||
         (!requires { &P::head; } && !requires { requires kIsMethod<&H::head>; }) ||
         (!requires { &P::post; } && !requires { requires kIsMethod<&H::post>; }) ||
         (!requires { &P::put; } && !requires { requires kIsMethod<&H::put>; }) ||
         (!requires { &P::delete_; } && !requires { requires kIsMethod<&H::delete_>; }) ||
         (!requires { &P::patch; } && !requires { requires kIsMethod<&H::patch>; }) ||
         (!requires { &P::options; } && !requires { requires kIsMethod<&H::options>; }) ||
         (!requires { &P::query; } && !requires { requires kIsMethod<&H::query>; }) ||
         (!requires { &P::get_current_user; } && !requires { requires kIsMethod<&H::get_current_user>; }) ||
         (!requires { &P::get_login_url; } && !requires { requires kIsMethod<&H::get_login_url>; }) ||
         (!requires { &P::compute_etag; } && !requires { requires kIsMethod<&H::compute_etag>; }) ||
         (!requires { &P::prepare; } && !requires { requires kIsMethod<&H::prepare>; }) ||
         (!requires { &P::data_received; } && !requires { requires kIsMethod<&H::data_received>; }) ||
         (!requires { &P::on_finish; } && !requires { requires kIsMethod<&H::on_finish>; }) ||
         (!requires { &P::on_connection_close; } &&
          !requires { requires kIsMethod<&H::on_connection_close>; }) ||
         (!requires { &P::initialize; } && !requires { requires kIsMethod<&H::initialize>; });
}

// Spellings that other frameworks use; such a member would never be called.
template <class H>
constexpr bool has_misspelled_delete() {
  return requires { requires kIsMethod<&H::del>; };
}
template <class H>
constexpr bool has_capital_verb() {
  return requires { requires kIsMethod<&H::Get>; } || requires { requires kIsMethod<&H::GET>; } ||
         requires { requires kIsMethod<&H::Head>; } || requires { requires kIsMethod<&H::HEAD>; } ||
         requires { requires kIsMethod<&H::Post>; } || requires { requires kIsMethod<&H::POST>; } ||
         requires { requires kIsMethod<&H::Put>; } || requires { requires kIsMethod<&H::PUT>; } ||
         requires { requires kIsMethod<&H::Delete>; } || requires { requires kIsMethod<&H::DELETE>; } ||
         requires { requires kIsMethod<&H::Patch>; } || requires { requires kIsMethod<&H::PATCH>; } ||
         requires { requires kIsMethod<&H::Options>; } || requires { requires kIsMethod<&H::OPTIONS>; } ||
         requires { requires kIsMethod<&H::Query>; } || requires { requires kIsMethod<&H::QUERY>; };
}

template <class Check, MethodName kName, auto kVerb>
constexpr bool check_extra(Check check, std::type_identity<ExtraMethod<kName, kVerb>>) {
  return check.template operator()<kVerb>();
}
template <class Check, class... Methods>
constexpr bool check_extras(Check check, std::type_identity<ExtraMethods<Methods...>>) {
  return (check_extra(check, std::type_identity<Methods>()) && ...);
}

// True if check.operator()<&H::verb>() is true for each verb of H.
template <class H, class Check>
constexpr bool all_verbs(Check check) {
  bool all = true;
  if constexpr (requires { &H::get; }) all = all && check.template operator()<&H::get>();
  if constexpr (requires { &H::head; }) all = all && check.template operator()<&H::head>();
  if constexpr (requires { &H::post; }) all = all && check.template operator()<&H::post>();
  if constexpr (requires { &H::put; }) all = all && check.template operator()<&H::put>();
  if constexpr (requires { &H::delete_; }) all = all && check.template operator()<&H::delete_>();
  if constexpr (requires { &H::patch; }) all = all && check.template operator()<&H::patch>();
  if constexpr (requires { &H::options; }) all = all && check.template operator()<&H::options>();
  if constexpr (requires { &H::query; }) all = all && check.template operator()<&H::query>();
  if constexpr (requires { typename H::extra_methods; })
    all = all && check_extras(check, std::type_identity<typename H::extra_methods>());
  return all;
}

template <class H>
constexpr bool has_verb() {
  return !all_verbs<H>([]<auto>() { return false; });
}

template <class H>
constexpr bool verbs_return_void_or_task() {
  return all_verbs<H>([]<auto kMethod>() { return kIsVoidOrTask<ResultOf<kMethod>>; });
}

template <class... P>
constexpr bool any_reference(std::type_identity<std::tuple<P...>>) {
  return (std::is_reference_v<P> || ...);
}
template <class H>
constexpr bool tasks_take_values() {
  return all_verbs<H>([]<auto kMethod>() {
    return std::is_void_v<ResultOf<kMethod>> || !any_reference(std::type_identity<ParametersOf<kMethod>>());
  });
}

template <class... P>
constexpr bool all_converted(std::type_identity<std::tuple<P...>>) {
  return (kIsPathParameter<std::decay_t<P>> && ...);
}
template <class H>
constexpr bool parameters_are_converted() {
  return all_verbs<H>(
      []<auto kMethod>() { return all_converted(std::type_identity<ParametersOf<kMethod>>()); });
}

template <class H>
constexpr bool streams_body() {
  if constexpr (requires { bool(H::stream_request_body); }) return H::stream_request_body;
  return false;
}
template <class H>
constexpr bool data_received_takes_pieces() {
  if constexpr (requires { &H::data_received; })
    return streams_body<H>() && kIsVoidOrTask<ResultOf<&H::data_received>> &&
           std::is_same_v<ParametersOf<&H::data_received>, std::tuple<std::string_view>>;
  return true;
}
template <class H>
constexpr bool kNever = false;

// The class has a base class that finds hooks of its own: `template <class H> static constexpr bool
// check_hooks()`, with a static_assert for each mistake, and `complete_type(HandlerType&)`, which adds verbs
// for them.
template <class H>
constexpr bool kIsOtherKind = requires { H::template check_hooks<H>(); };

// True if url<H>(pattern, args...) makes a route. Otherwise exactly one static_assert fails.
template <class H, class... Args>
constexpr bool check_handler() {
  if constexpr (!std::is_base_of_v<RequestHandler, H>) {
    static_assert(kNever<H>, "url<H>() takes a class that is derived, publicly, from RequestHandler");
  } else if constexpr (!std::is_default_constructible_v<H>) {
    static_assert(
        kNever<H>,
        "a handler needs a public constructor without parameters; a route's arguments go to initialize()");
  } else if constexpr (has_hidden_hook<H>()) {
    static_assert(kNever<H>,
                  "a handler's verbs and hooks (get, post, ..., prepare, initialize) must be public, not "
                  "static and not overloaded");
  } else if constexpr (has_misspelled_delete<H>()) {
    static_assert(kNever<H>, "the verb of DELETE is spelled delete_, not del");
  } else if constexpr (has_capital_verb<H>()) {
    static_assert(kNever<H>,
                  "verbs are spelled get, head, post, put, delete_, patch, options, query, in lower case");
  } else if constexpr (!has_verb<H>() && !requires { &H::prepare; } && !kIsOtherKind<H>) {
    static_assert(
        kNever<H>,
        "a handler needs a verb (get, head, post, put, delete_, patch, options or query), or a prepare() "
        "that answers");
  } else if constexpr (!verbs_return_void_or_task<H>()) {
    static_assert(kNever<H>, "a verb returns void or Task<>");
  } else if constexpr (!data_received_takes_pieces<H>()) {
    static_assert(
        kNever<H>,
        "data_received(std::string_view) returns void or Task<>, and its class has static constexpr "
        "bool stream_request_body = true");
  } else if constexpr (!hooks_return_void_or_task<H>()) {
    static_assert(kNever<H>, "initialize(), prepare() and on_finish() return void or Task<>");
  } else if constexpr (!close_hook_returns_void<H>()) {
    static_assert(kNever<H>, "on_connection_close() returns void");
  } else if constexpr (!user_is_optional<H>()) {
    static_assert(
        kNever<H>,
        "get_current_user() has no parameters and returns std::optional<T> or Task<std::optional<T>>");
  } else if constexpr (!login_url_is_text<H>()) {
    static_assert(kNever<H>,
                  "get_login_url() has no parameters and returns std::string or Task<std::string>");
  } else if constexpr (!etag_is_optional_text<H>()) {
    static_assert(kNever<H>, "compute_etag() returns std::optional<std::string>");
  } else if constexpr (!parameters_are_converted<H>()) {
    static_assert(kNever<H>,
                  "a verb's parameter must be an integer, a floating point number, bool, a std::string, a "
                  "std::optional of these, or a type with an ArgumentConverter");
  } else if constexpr (!tasks_take_values<H>()) {
    static_assert(kNever<H>,
                  "a verb that returns Task<> takes its parameters by value: it outlives the call");
  } else if constexpr (!initialize_takes_arguments<H, Args...>()) {
    static_assert(kNever<H>, "the arguments of url<H>() are not those that H::initialize() takes");
  } else if constexpr (kIsOtherKind<H>) {
    return H::template check_hooks<H>();
  } else {
    return true;
  }
  return false;
}

}  // namespace detail
}  // namespace squall::web
