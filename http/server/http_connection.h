#pragma once

#include <squall/http/server/exchange.h>
#include <squall/ioloop/sync/event.h>
#include <squall/iostream/stream/iostream.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace squall::http {

// The status line of a response.
struct ResponseStartLine {
  explicit ResponseStartLine(int code, std::string reason = {}) : code(code), reason(std::move(reason)) {}
  int code;
  std::string reason;  // empty for the code's own
};

// Where a response goes, for delegates in Tornado's shape (HUT-102): write_headers(), then write() as often
// as need be, then finish(). Framing is seen to as Exchange does.
//
// Thread:    the server's loop.
// Lifetime:  as HTTPServerConnectionDelegate::start_request() says.
// Errors:    as Exchange.
class HTTPConnection {
 public:
  explicit HTTPConnection(Exchange& exchange) noexcept : exchange_(exchange) {}
  HTTPConnection(const HTTPConnection&) = delete;
  HTTPConnection& operator=(const HTTPConnection&) = delete;

  // Sends the head, with these headers beside Server and Date, and perhaps a first piece of the body along
  // with it. Awaited, it waits until the client has taken it; so does write(). Throws std::logic_error if
  // called twice.
  WriteAwaiter write_headers(const ResponseStartLine& start_line, const Headers& headers,
                             std::string_view piece = {});
  WriteAwaiter write(std::string_view piece);
  void finish();

  // Of the request whose headers have been received, before any of its body: in headers_received().
  void set_max_body_size(std::size_t size) noexcept { exchange_.set_max_body_size(size); }
  void set_body_timeout(std::chrono::nanoseconds timeout) noexcept { exchange_.set_body_timeout(timeout); }

  // Takes the connection for another protocol, after the head was sent: see Exchange::detach(). From within
  // any call of the message delegate (H1C-68), which hears nothing more then.
  IOStream detach();

  const ServerRequest& request() const noexcept { return exchange_.request(); }
  // For what has no counterpart in Tornado: trailers, interim responses, abort(). A response must be finished
  // through finish() above.
  Exchange& exchange() noexcept { return exchange_; }

 private:
  friend class ConnectionDelegateAdapter;

  Exchange& exchange_;
  Event ended_;  // nothing more is written here
};

}  // namespace squall::http
