// tests/websocket/connection/echo_server.cc -- sends every message back, to clients that are not Squall's.
#include <squall/ioloop/base/log.h>
#include <squall/websocket.h>

#include <chrono>
#include <optional>

using namespace squall;

namespace {

Task<> echo(http::Exchange& exchange) {
  websocket::AcceptOptions options;
  options.compression = websocket::DeflateOptions();
  options.subprotocols = {"echo"};
  options.connection.max_message_size = 1'000'000;
  options.connection.close_timeout = std::chrono::seconds(1);
  const auto socket = websocket::accept(exchange, options);
  if (!socket) co_return;
  for (;;) {
    const std::optional<websocket::Message> message = co_await socket->read_message();
    if (!message) break;
    if (message->is_text() && message->data == "close") {
      socket->close(4000, "as asked");
    } else if (!socket->is_closing()) {
      co_await socket->write_message(*message);
    }
  }
}

}  // namespace

int main() {
  IOLoop loop;
  loop.stop_on_signals();
  log::enable_pretty_logging();
  const auto server = http::serve(0, echo);
  log::general().info("Serving on port {}", server->port());
  loop.start();
}
