#pragma once

#include <squall/http/server/request.h>
#include <squall/ioloop/loop/task.h>

#include <string_view>

namespace squall::http {

// Receives one request as it arrives (HUT-101). Its calls come in this order, and after headers_received()
// exactly one of finish() and on_connection_close() comes, the last of them.
//
// A call that returns a task is over when that is: nothing more is read from the client meanwhile. An empty
// Task, as is returned by default, costs nothing.
//
// Errors:    an exception is logged and closes the connection.
class HTTPMessageDelegate {
 public:
  virtual ~HTTPMessageDelegate() = default;

  // The request line and headers. The request lives until the response is finished, or the connection closed.
  virtual Task<> headers_received(const ServerRequest&) { return {}; }
  // A piece of the body, of up to Options::chunk_size bytes: a view that is valid until the call is over.
  virtual Task<> data_received(std::string_view) { return {}; }
  // All of the body has come. The response may be finished before or after that. If it was before all of the
  // body had come, the rest is not delivered (H1C-19).
  virtual void finish() {}
  // The client has gone, or what it sent was no request.
  virtual void on_connection_close() {}
};

}  // namespace squall::http
