#include "viewer.h"

#include <squall/ioloop/base/log.h>

#include <sys/socket.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

using namespace squall;
using namespace std::chrono_literals;
using websocket::QueueOptions;
using websocket::WebSocketConnection;

namespace ticker {

std::optional<QueueOptions::WhenFull> parse_policy(std::string_view name) {
  using enum QueueOptions::WhenFull;
  if (name == "keep_latest") return keep_latest;
  if (name == "drop_oldest") return drop_oldest;
  if (name == "drop_newest") return drop_newest;
  if (name == "close") return close;
  return std::nullopt;
}

Viewer::Viewer(std::string url, std::string policy) : url_(std::move(url)), policy_(std::move(policy)) {
  task_.add(run());
}

Task<> Viewer::run() {
  for (;;) {
    try {
      const std::unique_ptr<WebSocketConnection> socket = co_await websocket::websocket_connect(url_);
      // The kernel would hold seconds of prices for a slow viewer.
      const int size = 16 * 1024;
      ::setsockopt(socket->stream().fd(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
      co_await read(*socket);
    } catch (const http::HTTPClientError& error) {
      log::general().warning("A viewer cannot connect: {}", error.what());
    }
    co_await sleep(1s);
  }
}

Task<> Viewer::read(WebSocketConnection& socket) {
  for (;;) {
    const std::optional<websocket::Message> message = co_await socket.read_message();
    if (!message) co_return;
    ++received_;
    last_ = nlohmann::json::parse(message->data).at("number").get<std::uint64_t>();
    if (pause_ > 0ms) co_await sleep(pause_);
  }
}

}  // namespace ticker
