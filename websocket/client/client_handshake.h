#pragma once

#include <squall/http/client/http_request.h>
#include <squall/http/message/headers.h>
#include <squall/websocket/client/connect_options.h>
#include <squall/websocket/connection/connection_options.h>

#include <optional>
#include <string>
#include <vector>

namespace squall::websocket {

// The client's part of one opening handshake (RFC 6455, 4.1): writes the request, and checks the answer. No
// I/O.
//
// Thread:    one.
class ClientHandshake {
 public:
  // Makes a new key. Throws std::invalid_argument for subprotocols that are not unique tokens, and for
  // compression options out of range.
  explicit ClientHandshake(const ConnectOptions& options);

  // Makes `request`, whose URL is ws or wss, the HTTP request of the handshake (WSK-80, WSK-81). Throws
  // std::invalid_argument for another scheme, for a URL with a fragment, for another method than GET, and for
  // header fields that the handshake has itself.
  void prepare(http::HTTPRequest& request) const;

  // Reads the headers of a 101 answer (WSK-84, WSK-67). Returns what is wrong with them; nullopt, and the
  // terms of the connection, if they open the WebSocket that was asked for.
  std::optional<std::string> check(const http::Headers& answer, ConnectionTerms& terms) const;

 private:
  std::string key_;
  std::vector<std::string> subprotocols_;
  std::optional<DeflateOptions> compression_;
};

}  // namespace squall::websocket
