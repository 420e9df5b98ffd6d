#pragma once

#include <squall/http/server/http_connection.h>
#include <squall/http/server/http_message_delegate.h>

#include <memory>

namespace squall::http {

class ServerConnection;

// HTTP without the framework, in Tornado's shape (HUT-100): what an HTTPServer can be made with.
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

  // Called for each request. `server_connection` names the client's connection, and nothing else;
  // `connection` takes the response, and lives as long as the delegate that is returned: until the response
  // is finished and all of the request delivered, or the connection is closed. Null closes it at once.
  virtual std::unique_ptr<HTTPMessageDelegate> start_request(const ServerConnection& server_connection,
                                                             HTTPConnection& connection) = 0;
  // A connection that has sent something has been closed, or detached. Once a connection.
  virtual void on_close(const ServerConnection&) noexcept {}
};

}  // namespace squall::http
