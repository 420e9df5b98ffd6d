#pragma once

#include <squall/http/exchange.h>
#include <squall/ioloop/task.h>

namespace squall::http {

// What a server hands its requests to: the web framework's Application, or your own.
//
// Thread:    the server's loop.
// Lifetime:  outlives the server.
class ServerDelegate {
 public:
  virtual ~ServerDelegate() = default;

  // A request has arrived with all of its body. Answers it, or stores in `pending` the task that will: the
  // connection runs it, and cancels it if the client goes away. The exchange must be finished by then; an
  // exception, or an unfinished exchange, is logged and closes the connection.
  virtual void handle_request(Exchange& exchange, Task<>& pending) = 0;

  // Adds to the headers that every response of a server begins with, Server and Date.
  virtual void add_default_headers(Headers&) const {}

  // The client went away while `pending` waited, which is destroyed after this.
  virtual void client_gone(Exchange&) noexcept {}
};

}  // namespace squall::http
