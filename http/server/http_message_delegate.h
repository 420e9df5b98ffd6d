#pragma once

#include <squall/http/server/request.h>
#include <squall/ioloop/loop/task.h>

#include <string_view>

namespace squall::http {

// Receives one request as it arrives (HUT-101). The calls come in this order. After headers_received()
// exactly one of finish() and on_connection_close() is called, as the last call.
//
// If a call returns a task, the call lasts until the task has ended: nothing more is read from the client
// meanwhile. The empty Task of the defaults costs nothing.
//
// Errors:    an exception is logged and closes the connection.
class HTTPMessageDelegate {
 public:
  virtual ~HTTPMessageDelegate() = default;

  // The request line and headers. The request lives until the response is finished, or the connection closed.
  virtual Task<> headers_received(const ServerRequest&) { return {}; }
  // A piece of the body, of up to Options::chunk_size bytes: a view that is valid until the call is over.
  virtual Task<> data_received(std::string_view) { return {}; }
  // All of the body has arrived. The response may be finished earlier or later. If it is finished before
  // all of the body has arrived, the rest of the body is not delivered (H1C-19).
  virtual void finish() {}
  // The client has gone, or its request was refused.
  virtual void on_connection_close() {}
};

}  // namespace squall::http
