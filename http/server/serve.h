#pragma once

#include <squall/http/server/function_delegate.h>
#include <squall/http/server/http_server.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/socket/bind_sockets.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

// A server made of one function:
//
//     const auto server = http::serve(8888, [](http::ServerRequest& request) {
//       return http::ServerResponse(fmt::format("You asked for {}\n", request.path()), "text/plain");
//     });
//     IOLoop::current().start();
//
// FunctionDelegate lists the types that the function may have.
namespace squall::http {

struct ServeOptions {
  ServerDelegate::Body body = ServerDelegate::Body::collected;
  HTTPServer::Options server{};
  ListenOptions listen{};
};

// An HTTPServer with the function that answers its requests.
class FunctionServer final : private FunctionDelegate, public HTTPServer {
 public:
  template <class Function>
  explicit FunctionServer(Function function, const ServeOptions& options = {},
                          IOLoop& loop = IOLoop::current())
      : FunctionDelegate(std::move(function), options.body),
        HTTPServer(static_cast<FunctionDelegate&>(*this), options.server, loop) {}
  ~FunctionServer() override { destroy_all_connections(); }
};

// Listens on a port, on the current loop, until the returned server is destroyed. Throws std::system_error if
// the port cannot be bound.
template <class Function>
std::unique_ptr<FunctionServer> serve(std::uint16_t port, Function function,
                                      const ServeOptions& options = {}) {
  auto server = std::make_unique<FunctionServer>(std::move(function), options);
  server->listen(port, options.listen);
  return server;
}

// As serve(port), on sockets that already listen.
template <class Function>
std::unique_ptr<FunctionServer> serve(std::vector<OwnedFd> sockets, Function function,
                                      const ServeOptions& options = {}) {
  auto server = std::make_unique<FunctionServer>(std::move(function), options);
  server->add_sockets(std::move(sockets));
  return server;
}

// Serves one connection until it ends.
template <class Function>
Task<> serve_stream(IOStream stream, Function function, ServeOptions options = {}) {
  FunctionServer server(std::move(function), options, stream.loop());
  const Address peer = Address::peer_of(stream.fd());
  co_await server.serve_stream(std::move(stream), peer);
}

}  // namespace squall::http
