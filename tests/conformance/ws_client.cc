// tests/conformance/ws_client.cc -- sends every message of a WebSocket server back, until it closes:
// `conformance_ws_client URL`. Exits with 0 if the connection ended in order, otherwise with 1 and a message.
#include <squall/options/option_parser.h>
#include <squall/websocket.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

using namespace squall;

namespace {

// The next read finds the end of a connection that breaks meanwhile.
Task<> send_back(websocket::WebSocketConnection& socket, websocket::Message message) {
  try {
    co_await socket.write_message(message);
  } catch (const StreamClosedError&) {
  }
}

// Empty if the connection ended in order.
Task<std::string> echo(std::string url) {
  websocket::ConnectOptions options;
  options.compression = websocket::DeflateOptions();
  options.connection.max_message_size = 20 * 1024 * 1024;
  const auto socket = co_await websocket::websocket_connect(std::move(url), std::move(options));
  for (;;) {
    const std::optional<websocket::Message> message = co_await socket->read_message();
    if (!message) break;
    if (!socket->is_closing()) co_await send_back(*socket, *message);
  }
  if (const websocket::Fault& fault = socket->fault())
    co_return fmt::format("closed with {}: {}", fault.code, fault.reason);
  const std::error_code error = socket->stream().error();
  co_return error ? error.message() : std::string();
}

}  // namespace

int main(int argc, char** argv) {
  std::string url;
  options::OptionParser line("conformance_ws_client",
                             "Sends every message of a WebSocket server back, until it closes.");
  line.bind_argument("url", url, "ws://host:port/path").required();
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  try {
    IOLoop loop;
    const std::string fault = loop.run_sync(echo(url));
    if (fault.empty()) return 0;
    fmt::print(stderr, "conformance_ws_client: {}\n", fault);
  } catch (const std::exception& error) {
    fmt::print(stderr, "conformance_ws_client: {}\n", error.what());
  }
  return 1;
}
