#include <squall/http/server/function_delegate.h>

#include <squall/http/server/access_log.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/iostream/address/errors.h>

namespace squall::http {
namespace {

// The connection is cut if the function has left the exchange unfinished, whatever status that has.
void log_ended(const Exchange& exchange) noexcept {
  log_access(exchange.request(), exchange.finished() ? exchange.status() : 500);
}

}  // namespace

void FunctionDelegate::handle_request(Exchange& exchange, Task<>& pending) {
  Task<> answering;
  try {
    function_(exchange, answering);
  } catch (...) {
    return fail(exchange, std::current_exception());
  }
  if (answering) {
    pending = run(exchange, std::move(answering));
  } else {
    log_ended(exchange);
  }
}

Task<> FunctionDelegate::respond(Exchange& exchange, Task<Response> making) {
  const Response response = co_await std::move(making);
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
  const int refused = exchange.cancelled_with();
  log_access(exchange.request(), exchange.finished() ? exchange.status() : refused ? refused : kClientGone);
}

// The function has thrown. The client is told, unless it has a part of an answer already.
void FunctionDelegate::fail(Exchange& exchange, const std::exception_ptr& error) {
  const Request& request = exchange.request();
  try {
    std::rethrow_exception(error);
  } catch (const HTTPInputError& input_error) {
    log_access(request, input_error.status());
    throw;  // the connection answers it
  } catch (const StreamClosedError&) {
    if (exchange.closed()) {
      log_access(request, kClientGone);
      return exchange.finished() ? void() : exchange.abort();
    }
    log::application().error("Uncaught exception {} {} ({}): {}", request.method_name(), request.target(),
                             request.remote_ip(), current_what());
  } catch (...) {
    log::application().error("Uncaught exception {} {} ({}): {}", request.method_name(), request.target(),
                             request.remote_ip(), current_what());
  }
  if (!exchange.finished() && exchange.head_sent()) {
    exchange.abort();
  } else if (!exchange.finished()) {
    exchange.reset_head();
    exchange.respond(Response(500, "500: Internal Server Error\n", "text/plain"));
  }
  log_access(request, exchange.status());
}

}  // namespace squall::http
