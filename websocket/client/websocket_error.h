#pragma once

#include <squall/http/client/http_client_error.h>

#include <string>

namespace squall::websocket {

// A server answered the opening handshake, but opened no WebSocket as the client has asked for (WSK-83,
// WSK-84, WSK-95). response() is never null.
//
//     HTTP 200: Non-websocket response
//     HTTP 101: The server selected the subprotocol 'x', which was not offered
class WebSocketError : public http::HTTPClientError {
 public:
  WebSocketError(std::string message, http::HTTPResponse response);
};

}  // namespace squall::websocket
