#pragma once

#include <squall/http/server/exchange.h>
#include <squall/ioloop/loop/task.h>

namespace squall::http {

// What a server hands its requests to: the web framework's Application, or your own.
//
// Thread:    the server's loop.
// Lifetime:  outlives the server.
class ServerDelegate {
 public:
  virtual ~ServerDelegate() = default;

  // How a request's body is to be had.
  enum class Body {
    collected,  // all of it before handle_request(), in ServerRequest::body()
    streamed,   // handle_request() comes at once, and reads it piece by piece
  };
  // The head of a request with a body has arrived. Here is the place for Exchange::set_max_body_size() and
  // set_body_timeout(). An exception is logged and closes the connection.
  virtual Body head_received(Exchange&) { return Body::collected; }

  // A request has arrived, with all of its body unless that is streamed. Answers it, or stores in `pending`
  // the task that will: the connection runs it, and cancels it if the client goes away. The exchange must be
  // finished by then; an exception, or an unfinished exchange, is logged and closes the connection.
  // HTTPInputError, of a body that is none, is answered with its status.
  virtual void handle_request(Exchange& exchange, Task<>& pending) = 0;

  // Adds to the headers that every response of a server begins with, Server and Date.
  virtual void add_default_headers(Headers&) const {}

  // The client went away while `pending` waited, or took too long to send its body, and is told so: `pending`
  // is destroyed after this.
  virtual void client_gone(Exchange&) noexcept {}

  // Whether connection_closed() is to be called. If so, a connection keeps its coroutine between requests,
  // and Exchange::connection() tells them apart.
  virtual bool follows_connections() const noexcept { return false; }
  // A connection that has sent something has been closed, or is not the server's any more.
  virtual void connection_closed(const ServerConnection&) noexcept {}
};

}  // namespace squall::http
