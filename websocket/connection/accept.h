#pragma once

#include <squall/http/server/exchange.h>
#include <squall/http/server/request.h>
#include <squall/websocket/codec/deflate_negotiation.h>
#include <squall/websocket/connection/connection_options.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The server's side of the opening handshake (RFC 6455, 4.2).
namespace squall::websocket {

struct AcceptOptions {
  // Which pages of browsers may connect. A request without an origin is not of a browser, and is accepted.
  enum class Origins : std::uint8_t {
    same,  // those of the same host and port (WSK-10), and `allowed_origins`
    any,   // all: the program has checked the origin itself, or needs no check
  };

  Origins origins = Origins::same;
  // Decides for a request with an origin, in place of `origins` and `allowed_origins`.
  std::function<bool(std::string_view origin)> check_origin{};
  // Further origins: `https://example.com`. Compared without case.
  std::vector<std::string> allowed_origins{};
  // The first subprotocol of the client that is among these is selected; without one the connection has none.
  std::vector<std::string> subprotocols{};
  // permessage-deflate, if the client offers it; std::nullopt: messages are not compressed (WSK-28).
  std::optional<DeflateOptions> compression{};
  // The connection when the server drains.
  enum class Drain : std::uint8_t {
    closes,  // it is closed with 1001 behind its messages, and the drain waits for it
    none,    // the connection is independent of the server, which does not count it
  };
  Drain drain = Drain::closes;
  ConnectionOptions connection{};
};

// The answer to a request that opens no WebSocket.
struct HandshakeRefusal {
  int status = 400;
  std::string_view body{};  // static text
};

// Checks all of a request but its extensions, in the order of WSK-01 to WSK-05; nullopt: it is an opening
// handshake. Refused are also methods other than GET (405), HTTP/1.0, and a Sec-WebSocket-Key that is not 16
// bytes in base64 (RFC 6455, 4.2.1).
std::optional<HandshakeRefusal> check_handshake(const http::ServerRequest& request,
                                                const AcceptOptions& options = {});

// Sends the answer, with the fields that its status needs: Allow, or Sec-WebSocket-Version and Upgrade. The
// connection stays usable for other requests.
void refuse_handshake(http::Exchange& exchange, const HandshakeRefusal& refusal);

// Answers an opening handshake with 101 and takes the connection from the server; or refuses the request as
// check_handshake() says, and returns null. For the task of a delegate, as Exchange::detach():
//
//     Task<> echo(http::Exchange& exchange) {
//       const auto socket = websocket::accept(exchange);
//       if (!socket) co_return;
//       for (;;) {
//         const std::optional<websocket::Message> message = co_await socket->read_message();
//         if (!message) co_return;
//         co_await socket->write_message(*message);
//       }
//     }
//
// Header fields that the exchange has already are sent with the 101, other than Content-Type (WSK-13). An
// offer of permessage-deflate that is malformed is declined (WSK-06).
//
// Lifetime:  the connection is independent of the exchange, and may outlive the server. Until the server is
//            destroyed the connection is one of its connections: see AcceptOptions::Drain.
// Errors:    StreamClosedError if the client has gone. std::logic_error as detach(). std::invalid_argument
//            for compression options that are out of range.
std::unique_ptr<WebSocketConnection> accept(http::Exchange& exchange, const AcceptOptions& options = {});

}  // namespace squall::websocket
