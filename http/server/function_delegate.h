#pragma once

#include <squall/http/server/exchange.h>
#include <squall/http/server/response.h>
#include <squall/http/server/server_delegate.h>
#include <squall/ioloop/loop/task.h>

#include <concepts>
#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

namespace squall::http {

// Answers every request with one function, which has one of these types:
//
//     ServerResponse(ServerRequest&)    Task<ServerResponse>(ServerRequest&)
//     void(Exchange&)                   Task<>(Exchange&)
//
// The task is cancelled if the client goes away. Each request is one line in the access log.
//
// Thread:    the server's loop.
// Lifetime:  owns the function. A task may refer to the function's captures.
// Errors:    an exception of the function is logged, and the client gets 500.
class FunctionDelegate : public ServerDelegate {
 public:
  template <class Function>
  requires(!std::same_as<std::decay_t<Function>, FunctionDelegate>)
  explicit FunctionDelegate(Function function, Body body = Body::collected)
      : function_(adapt(std::move(function))), body_(body) {}

  Body head_received(Exchange&) override { return body_; }
  void handle_request(Exchange& exchange, Task<>& pending) override;
  void client_gone(Exchange& exchange) noexcept override;

 private:
  using Answer = std::function<void(Exchange& exchange, Task<>& pending)>;

  template <class Function>
  static Answer adapt(Function function) {
    if constexpr (std::is_invocable_v<Function&, Exchange&>) {
      using Result = std::invoke_result_t<Function&, Exchange&>;
      static_assert(std::is_void_v<Result> || std::is_same_v<Result, Task<>>,
                    "a function of an Exchange returns void or Task<>");
      return [function = std::move(function)](Exchange& exchange, [[maybe_unused]] Task<>& pending) mutable {
        if constexpr (std::is_void_v<Result>) {
          function(exchange);
        } else {
          pending = function(exchange);
        }
      };
    } else {
      static_assert(std::is_invocable_v<Function&, ServerRequest&>,
                    "the function takes a ServerRequest& or an Exchange&");
      using Result = std::invoke_result_t<Function&, ServerRequest&>;
      static_assert(
          std::is_convertible_v<Result, ServerResponse> || std::is_same_v<Result, Task<ServerResponse>>,
          "a function of a ServerRequest returns a ServerResponse or a Task<ServerResponse>");
      return [function = std::move(function)](Exchange& exchange, [[maybe_unused]] Task<>& pending) mutable {
        if constexpr (std::is_same_v<Result, Task<ServerResponse>>) {
          pending = respond(exchange, function(exchange.request()));
        } else {
          exchange.respond(function(exchange.request()));
        }
      };
    }
  }
  static Task<> respond(Exchange& exchange, Task<ServerResponse> making);
  Task<> run(Exchange& exchange, Task<> answering);
  void fail(Exchange& exchange, const std::exception_ptr& error);

  Answer function_;
  Body body_;
};

}  // namespace squall::http
