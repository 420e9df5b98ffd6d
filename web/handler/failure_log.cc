#include <squall/web/handler/failure_log.h>

#include <squall/http/server/access_log.h>
#include <squall/http/server/handler_failure.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/web/handler/http_error.h>

#include <fmt/format.h>

#include <string_view>

namespace squall::web {
namespace {

std::string first_line(const http::ServerRequest& request) {
  return fmt::format("{} {} ({}){}", request.method_name(), request.target(), request.remote_ip(),
                     http::id_suffix(request));
}

void log_refusal(const http::ServerRequest& request, int status, std::string_view message) {
  log::general().warning("{} {}: {}", status, first_line(request), message);
}

void log_uncaught(const http::ServerRequest& request, std::string_view text) {
  log::application().error(
      "Uncaught exception {}\nHTTPServerRequest(protocol='{}', host='{}', method='{}', uri='{}', "
      "version='HTTP/1.{}', remote_ip='{}')\n{}",
      first_line(request), request.protocol(), request.host(), request.method_name(), request.target(),
      request.minor_version(), request.remote_ip(), text);
}

}  // namespace

void log_failure(const http::Exchange& exchange, const std::exception_ptr& error) {
  using Failure = http::HandlerFailure;
  const http::ServerRequest& request = exchange.request();
  try {
    std::rethrow_exception(error);
  } catch (const HTTPError& refusal) {
    if (!refusal.message().empty()) log_refusal(request, refusal.status(), refusal.message());
  } catch (...) {
    const Failure failure = Failure::of(error, exchange);
    if (failure.kind == Failure::Kind::bad_input) {
      log_refusal(request, failure.status, failure.text);
    } else {
      log_uncaught(request, failure.text);
    }
  }
}

void log_uncaught_in(std::string_view hook) noexcept {
  log::application().error("Uncaught exception in {}: {}", hook, current_what());
}

}  // namespace squall::web
