#pragma once

#include <squall/http/client/http_request.h>
#include <squall/ioloop/loop/task.h>
#include <squall/websocket/client/connect_options.h>
#include <squall/websocket/client/websocket_error.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <memory>
#include <string>

namespace squall::websocket {

// Opens a WebSocket (WSK-80 to WSK-84). `url` has the scheme ws or wss.
//
//     const auto socket = co_await websocket_connect("ws://127.0.0.1:8888/chat");
//     co_await socket->write_message("hello");
//     const std::optional<Message> answer = co_await socket->read_message();
//
// A request may have headers, credentials, TLS options, a proxy, which is always asked for a tunnel, a Unix
// socket, and the timeouts of the handshake. Redirects are followed only if request.follow_redirects is true:
// at most request.max_redirects, never from wss to ws, and without credentials once they have led to another
// origin. A failed answer has at most 1 MiB, unless request.max_body_size is set.
//
// Result:    an open connection. Nothing that the server sent behind its answer is lost.
// Thread:    the loop's thread only.
// Lifetime:  the connection is independent of `options.client`. Destroying the task closes the connection.
// Errors:    std::invalid_argument for a URL, a request or options that are invalid. HTTPClientError with the
//            response for an answer other than 101, also for a redirect that is not followed; WebSocketError
//            for an answer that is 2xx, or a 101 with wrong headers. HTTPTimeoutError; and HTTPClientError
//            with phase, peer and cause for all problems of the connection, as with fetch().
Task<std::unique_ptr<WebSocketConnection>> websocket_connect(http::HTTPRequest request,
                                                             ConnectOptions options);
Task<std::unique_ptr<WebSocketConnection>> websocket_connect(http::HTTPRequest request);
Task<std::unique_ptr<WebSocketConnection>> websocket_connect(std::string url, ConnectOptions options);
Task<std::unique_ptr<WebSocketConnection>> websocket_connect(std::string url);

// Throws std::invalid_argument if websocket_connect() would do so for these, before it connects.
void check_connect(http::HTTPRequest request, const ConnectOptions& options);

}  // namespace squall::websocket
