#pragma once

#include <squall/http/server/exchange.h>
#include <squall/http/server/http_server_options.h>
#include <squall/http/server/server_delegate.h>
#include <squall/iostream/tcp/tcp_server.h>

#include <cstddef>
#include <memory>

namespace squall::http {

class HTTPServerConnectionDelegate;

// Serves HTTP/1.1 and 1.0: keep-alive, pipelining in order, bodies with a length or in chunks.
//
// An active connection is a coroutine. Between requests it may be parked, as a descriptor without a
// coroutine: up to kKeptConnections keep their coroutine, for speed, and the others are parked, to save
// memory.
//
// A malformed request gets the status that RFC 9112 names, a line in the log says why and from which address,
// and its connection is closed; other connections are not affected.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows loop and delegate. Destroying the server cancels the handlers of its connections. A
//            handler or the delegate must not destroy the server: where the server notices that, it ends
//            the program with a message. A handler can leave that to the loop:
//                loop.add_callback([doomed = std::move(server)] {});
class HTTPServer : public TCPServer {
 public:
  using Options = HTTPServerOptions;

  // Throws std::invalid_argument for a timeout that is not positive, a chunk_size of 0, and options that
  // TCPServer refuses.
  HTTPServer(ServerDelegate& delegate, Options options, IOLoop& loop = IOLoop::current());
  explicit HTTPServer(ServerDelegate& delegate, IOLoop& loop = IOLoop::current())
      : HTTPServer(delegate, Options(), loop) {}
  // For delegates with Tornado's interface.
  HTTPServer(HTTPServerConnectionDelegate& delegate, Options options, IOLoop& loop = IOLoop::current());
  explicit HTTPServer(HTTPServerConnectionDelegate& delegate, IOLoop& loop = IOLoop::current())
      : HTTPServer(delegate, Options(), loop) {}
  ~HTTPServer() override;

  static constexpr std::size_t kKeptConnections = 1024;

  const Options& options() const noexcept { return options_; }
  // Closes also the connections that wait for a request, and calls SwitchedConnection::cut(), at once.
  // Detached streams are not closed (HSV-15).
  ConnectionsClosed close_all_connections() override;
  // Serves a connection that this server did not accept, until the connection ends. Draining,
  // close_all_connections() and the server's destruction also end it, and then the task ends. Dropping the
  // task closes the connection.
  Task<> serve_stream(IOStream stream, Address peer = Address());

 protected:
  // As TCPServer's. Ends the program with a message if a handler or the delegate calls it.
  void destroy_all_connections() noexcept;
  void accepted(OwnedFd fd, const Address& peer) override;
  Task<> handle_stream(IOStream stream, Address peer) override;
  // From now on every response closes its connection. Connections that wait for a request are closed now,
  // unless a request has arrived already. SwitchedConnection::drain() is called, for some in each turn.
  void on_drain() override;

 private:
  class Core;
  HTTPServer(std::unique_ptr<ServerDelegate> adapter, Options options, IOLoop& loop);

  std::unique_ptr<ServerDelegate> adapter_;  // null unless the delegate has Tornado's interface
  Options options_;
  std::unique_ptr<Core> core_;  // the connections and their shared state
};

}  // namespace squall::http
