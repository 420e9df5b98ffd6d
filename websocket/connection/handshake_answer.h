#pragma once

#include <squall/http/server/exchange.h>
#include <squall/http/server/request.h>
#include <squall/websocket/connection/accept.h>
#include <squall/websocket/connection/connection_options.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// The steps of accept(), for code that chooses the answer itself.
namespace squall::websocket {

// As check_handshake(), and refuses a request whose body was not read: the bytes behind the head would be the
// body, and not frames.
std::optional<HandshakeRefusal> check_exchange(const http::Exchange& exchange, const AcceptOptions& options);

// The header fields that the status of a refusal needs.
struct RefusalField {
  std::string_view name;
  std::string_view value;
};
std::span<const RefusalField> refusal_fields(int status) noexcept;

struct HandshakeAnswer {
  ConnectionTerms terms{};
  std::string extensions{};  // the field Sec-WebSocket-Extensions; empty without one

  // Sends the 101, with the exchange's fields other than Content-Type (WSK-13).
  void write_to(http::Exchange& exchange) const;
};

// Accepts permessage-deflate if `options` are set and the request offers it. Throws std::invalid_argument for
// options that are out of range.
void select_compression(HandshakeAnswer& answer, const http::ServerRequest& request,
                        const std::optional<DeflateOptions>& options);

// Takes the connection from the server, behind the 101. Errors as Exchange::detach().
std::unique_ptr<WebSocketConnection> switch_protocols(http::Exchange& exchange, ConnectionTerms terms,
                                                      const ConnectionOptions& options,
                                                      AcceptOptions::Drain drain);

}  // namespace squall::websocket
