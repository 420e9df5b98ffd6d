#pragma once

#include <squall/http/server/http_connection.h>
#include <squall/http/server/http_message_delegate.h>

#include <memory>

namespace squall::http {

class ServerConnection;

// A delegate of HTTPServer with Tornado's interface (HUT-100).
//
//     class Hello : public http::HTTPServerConnectionDelegate {
//       std::unique_ptr<http::HTTPMessageDelegate> start_request(const http::ServerConnection&,
//                                                                http::HTTPConnection& connection) override {
//         return std::make_unique<HelloRequest>(connection);
//       }
//     };
//
// Thread:    the server's loop.
// Lifetime:  outlives the server.
class HTTPServerConnectionDelegate {
 public:
  virtual ~HTTPServerConnectionDelegate() = default;

  // Called for each request. `server_connection` only identifies the client's connection. `connection`
  // takes the response, and lives as long as the returned delegate: until the response is finished and all
  // of the request is delivered, or until the connection is closed. A null result closes the connection at
  // once.
  virtual std::unique_ptr<HTTPMessageDelegate> start_request(const ServerConnection& server_connection,
                                                             HTTPConnection& connection) = 0;
  // A connection that has sent bytes was closed or detached. Called once a connection.
  virtual void on_close(const ServerConnection&) noexcept {}
};

}  // namespace squall::http
