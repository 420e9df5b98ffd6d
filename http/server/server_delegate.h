#pragma once

#include <squall/http/server/exchange.h>
#include <squall/ioloop/loop/task.h>

namespace squall::http {

// Receives a server's requests: the web framework's Application, or a class of the application.
//
// The server writes a line in the access log for each request that it refuses before handle_request() is
// called. A delegate logs the others: log_access().
//
// Thread:    the server's loop.
// Lifetime:  outlives the server.
class ServerDelegate {
 public:
  virtual ~ServerDelegate() = default;

  // How a handler gets a request's body.
  enum class Body {
    collected,  // the server reads all of it before handle_request(), into ServerRequest::body()
    streamed,   // handle_request() is called at once, and reads the body piece by piece
  };
  // The head of a request with a body has arrived. Exchange::set_max_body_size() and set_body_timeout() may
  // be called here. An exception is logged and closes the connection.
  virtual Body head_received(Exchange&) { return Body::collected; }

  // A request has arrived; all of its body too, unless the body is streamed. Answers the request, or stores
  // in `pending` a task that answers it: the connection runs the task, and cancels it if the client goes
  // away. The exchange must be finished when this function and the task have ended. An exception, or an
  // unfinished exchange, is logged and closes the connection. HTTPInputError is answered with its status.
  virtual void handle_request(Exchange& exchange, Task<>& pending) = 0;

  // Adds headers to every response of the server, behind Server and Date.
  virtual void add_default_headers(Headers&) const {}

  // The client went away while `pending` waited, before the response was finished, or did not send its body
  // in time and gets 408. `pending` is destroyed after this call, unless this call has called
  // Exchange::let_task_end().
  virtual void client_gone(Exchange&) noexcept {}

  // True if the server must call connection_closed(). A connection then keeps its coroutine between requests,
  // and Exchange::connection() identifies it.
  virtual bool follows_connections() const noexcept { return false; }
  // A connection that has sent bytes was closed, or was detached from the server.
  virtual void connection_closed(const ServerConnection&) noexcept {}
};

}  // namespace squall::http
