#include <squall/websocket/handler/websocket_handler.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/iostream/address/address.h>
#include <squall/web/handler/http_error.h>
#include <squall/websocket/connection/origin.h>

#include <fmt/format.h>

namespace squall::websocket {

WebSocketHandler::WebSocketHandler() = default;
WebSocketHandler::~WebSocketHandler() = default;

bool WebSocketHandler::check_origin(std::string_view origin) {
  return is_same_origin(origin, request().headers().find(http::HeaderId::host).value_or(""));
}

std::optional<std::string> WebSocketHandler::select_subprotocol(std::span<const std::string_view>) {
  return std::nullopt;
}

ConnectionOptions WebSocketHandler::get_connection_options() {
  ConnectionOptions options;
  options.max_message_size = settings().websocket_max_message_size;
  options.ping_interval = settings().websocket_ping_interval;
  options.ping_timeout = settings().websocket_ping_timeout;
  return options;
}

// The handshake's exchange has ended, so web::log_failure() cannot ask it.
void WebSocketHandler::log_exception(const std::exception_ptr& error) {
  if (!connection_) return RequestHandler::log_exception(error);
  const std::string where = has_request() ? fmt::format("{} ({})", request().target(), request().remote_ip())
                                          : Address::peer_of(connection_->stream().fd()).ip();
  try {
    std::rethrow_exception(error);
  } catch (const web::HTTPError& refusal) {
    if (!refusal.message().empty())
      log::general().warning("{} WebSocket {}: {}", refusal.status(), where, refusal.message());
  } catch (...) {
    log::application().error("Uncaught exception in the WebSocket {}: {}", where, current_what());
  }
}

void WebSocketHandler::throw_not_open() {
  throw_logic_error("The WebSocket is not open: its functions are for open() and the hooks behind it");
}

}  // namespace squall::websocket
