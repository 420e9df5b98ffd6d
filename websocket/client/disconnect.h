#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/websocket/codec/close_code.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>

namespace squall::websocket {

class WebSocketConnection;

// Why a ReconnectingClient has no connection: an attempt to connect failed, or a connection has ended.
struct Disconnect {
  Disconnect() = default;
  // Of an attempt that threw `error`.
  explicit Disconnect(std::exception_ptr error, std::chrono::system_clock::time_point now);
  // Of a connection that has ended.
  explicit Disconnect(const WebSocketConnection& socket);

  // One line, for log messages: `HTTP 503: Service Unavailable`, `closed with 1001 going away`.
  std::string to_string() const;

  // The exception of websocket_connect() or of the resume hook. Null if a connection has ended.
  std::exception_ptr error{};
  // The status of an answer that did not open the WebSocket.
  std::optional<int> status{};
  // How long the server asked to wait, by the Retry-After of a 503 or a 429 (RFC 9110, 10.2.3).
  std::optional<TimeSpan> retry_after{};
  // The content of the server's close frame, as close_code() and close_reason() of the connection.
  std::optional<std::uint16_t> close_code{};
  std::string close_reason{};
  // The time within which all clients are to come back, if the close frame has 1012 and reconnect_reason().
  std::optional<TimeSpan> reconnect_within{};
  // Why the client has closed the connection because of the server's bytes.
  Fault fault{};
};

// The rule of a ReconnectingClient without one of its own. False, since another attempt would end the same
// way:
// - for an answer that is 1xx, 2xx, 3xx or 4xx, other than 408, 421, 425 and 429;
// - for the close codes 1000, 1002, 1003, 1007 to 1010, and 4000 to 4999, the codes of applications; and for
//   faults of the server's bytes with these codes;
// - for an error of the program: std::logic_error, such as std::invalid_argument.
// True for all else: connections that are refused, break or time out, names that are not found, certificates
// that are not accepted, answers that are 5xx, other close codes, and none.
bool may_reconnect(const Disconnect& why);

}  // namespace squall::websocket
