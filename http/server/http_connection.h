#pragma once

#include <squall/http/server/exchange.h>
#include <squall/ioloop/base/time_span.h>
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
  explicit ResponseStartLine(int status, std::string reason = {})
      : status(status), reason(std::move(reason)) {}
  int status;
  std::string reason;  // empty: the standard reason of the status
};

// Sends a response, for delegates with Tornado's interface (HUT-102): write_headers(), any number of
// write(), then finish(). Exchange frames the body.
//
// Thread:    the server's loop.
// Lifetime:  see HTTPServerConnectionDelegate::start_request().
// Errors:    as Exchange.
class HTTPConnection {
 public:
  explicit HTTPConnection(Exchange& exchange) noexcept : exchange_(exchange) {}
  HTTPConnection(const HTTPConnection&) = delete;
  HTTPConnection& operator=(const HTTPConnection&) = delete;

  // Sends the head, with these headers beside Server and Date, and the first piece of the body. The
  // awaiters of write_headers() and write() wait until the kernel has taken the bytes. Throws
  // std::logic_error if called twice.
  WriteAwaiter write_headers(const ResponseStartLine& start_line, const Headers& headers,
                             std::string_view piece = {});
  WriteAwaiter write(std::string_view piece);
  void finish();

  // The limits of this request's body. Call these in headers_received().
  void set_max_body_size(std::size_t size) noexcept { exchange_.set_max_body_size(size); }
  void set_body_timeout(TimeSpan timeout) { exchange_.set_body_timeout(timeout); }

  // Takes the connection for another protocol, after the head was sent: see Exchange::detach(). May be
  // called in any call of the message delegate (H1C-68); no call follows.
  IOStream detach();

  const ServerRequest& request() const noexcept { return exchange_.request(); }
  // Gives access to trailers, interim responses and abort(), which Tornado does not have. End the response
  // with finish() above.
  Exchange& exchange() noexcept { return exchange_; }

 private:
  friend class ConnectionDelegateAdapter;

  Exchange& exchange_;
  Event ended_;  // set when the response is finished or the connection is detached
};

}  // namespace squall::http
