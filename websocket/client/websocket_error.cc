#include <squall/websocket/client/websocket_error.h>

#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <utility>

namespace squall::websocket {

// std::runtime_error is a virtual base, so the class that is thrown gives it its text.
WebSocketError::WebSocketError(std::string message, http::HTTPResponse response)
    : std::runtime_error(fmt::format("HTTP {}: {}", response.status(), escape_controls(message))),
      HTTPClientError(std::move(message), std::move(response)) {}

}  // namespace squall::websocket
