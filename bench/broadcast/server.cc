// A server that sends every message of a WebSocket to all of them, for bench/broadcast/run.

#include <squall/http.h>
#include <squall/websocket.h>

#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

using namespace squall;

namespace {

Task<> serve(http::Exchange& exchange, websocket::Hub& hub, const websocket::AcceptOptions& options) {
  const auto socket = websocket::accept(exchange, options);
  if (!socket) co_return;
  hub.subscribe(*socket, "all");
  for (;;) {
    const std::optional<websocket::Message> message = co_await socket->read_message();
    if (!message) co_return;
    hub.publish("all", std::string(message->data));
  }
}

}  // namespace

int main(int argc, char** argv) {
  IOLoop& loop = IOLoop::current();
  loop.stop_on_signals();
  websocket::Hub hub;
  websocket::AcceptOptions options;
  if (argc > 1 && std::strcmp(argv[1], "--compressed") == 0) options.compression.emplace();
  const auto handler = [&](http::Exchange& exchange) { return serve(exchange, hub, options); };
  const auto server = http::serve(0, handler);
  std::printf("%d\n", server->port());
  std::fflush(stdout);
  loop.start();
}
