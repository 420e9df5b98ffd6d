#include <squall/http/server/function_delegate.h>

#include <squall/http/server/access_log.h>
#include <squall/http/server/handler_failure.h>
#include <squall/ioloop/base/log.h>

namespace squall::http {
namespace {

// Logs 500 if the function has left the exchange unfinished: the connection is then closed, whatever status
// was set.
void log_ended(const Exchange& exchange) noexcept {
  log_access(exchange.request(), exchange.finished() ? exchange.status() : 500);
}

}  // namespace

void FunctionDelegate::handle_request(Exchange& exchange, Task<>& pending) {
  Task<> answering;
  try {
    function_(exchange, answering);
    if (answering) {
      pending = run(exchange, std::move(answering));
      return;
    }
  } catch (...) {
    return fail(exchange, std::current_exception());
  }
  log_ended(exchange);
}

Task<> FunctionDelegate::respond(Exchange& exchange, Task<ServerResponse> making) {
  const ServerResponse response = co_await std::move(making);
  exchange.respond(response);
}

Task<> FunctionDelegate::run(Exchange& exchange, Task<> answering) {
  std::exception_ptr error;
  try {
    co_await std::move(answering);
  } catch (...) {
    error = std::current_exception();
  }
  if (error) {
    fail(exchange, error);
  } else {
    log_ended(exchange);
  }
}

void FunctionDelegate::client_gone(Exchange& exchange) noexcept {
  log_access(exchange.request(),
             exchange.finished() ? exchange.status() : exchange.cancelled_with().value_or(kClientGone));
}

// The function has thrown. The client gets an error response, unless it has a part of another response
// already.
void FunctionDelegate::fail(Exchange& exchange, const std::exception_ptr& error) {
  const ServerRequest& request = exchange.request();
  const HandlerFailure failure = HandlerFailure::of(error, exchange);
  switch (failure.kind) {
    case HandlerFailure::Kind::bad_input:
      log_access(request, failure.status);
      std::rethrow_exception(error);  // the connection answers it
    case HandlerFailure::Kind::client_gone:
      log_access(request, failure.status);
      return exchange.finished() ? void() : exchange.abort();
    case HandlerFailure::Kind::error:
      log::application().error("Uncaught exception {} {} ({}){}: {}", request.method_name(), request.target(),
                               request.remote_ip(), id_suffix(request), failure.text);
  }
  if (!exchange.finished() && exchange.head_sent()) {
    exchange.abort();
  } else if (!exchange.finished()) {
    exchange.reset_head();
    exchange.respond(ServerResponse(500, "500: Internal Server Error\n", "text/plain"));
  }
  log_access(request, exchange.status());
}

}  // namespace squall::http
