#pragma once

#include <squall/http/codec/request_parser.h>
#include <squall/http/server/connection_table.h>
#include <squall/http/server/default_headers.h>
#include <squall/http/server/exchange_pool.h>
#include <squall/http/server/http_server_options.h>
#include <squall/http/server/proxy_headers.h>
#include <squall/http/server/switched_connections.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/tcp/tcp_server.h>

#include <memory>

namespace squall::http {

class ParkedConnection;
class ServerConnection;
class ServerDelegate;

// The functions of the server that its connections call.
class ConnectionHost {
 public:
  // A connection from this address begins to exist, or ends. When a connection is parked or resumed, its
  // new object is counted before the old one is removed.
  virtual void count_connection(const Address& peer) = 0;
  virtual void uncount_connection(const Address& peer) noexcept = 0;
  // Bytes have arrived for a parked connection, or its client has gone: makes the connection active.
  virtual void wake(ParkedConnection& connection, Events events) = 0;
  // Runs the task of a connection that has left HTTP: one more task of the server.
  virtual void run(Task<> task) = 0;
  // The connection waits for a request, and all its bytes are sent. May park it, which destroys the
  // ServerConnection.
  virtual void may_park(ServerConnection& connection) noexcept = 0;

 protected:
  ~ConnectionHost() = default;
};

// The shared state of a server's connections.
//
// Thread:    the server's loop.
// Lifetime:  a part of the server; borrows the loop and the delegate.
struct ServerContext {
  // Throws std::invalid_argument for a timeout that is not positive, and a chunk_size of 0.
  ServerContext(ConnectionHost& host, const TCPServer& server, ServerDelegate& delegate,
                HTTPServerOptions options);

  ConnectionHost& host;
  const TCPServer& server;
  LoopRef loop;
  ServerDelegate& delegate;
  // Counts a call of the delegate that is not on the fast path of a request.
  class RareCall {
   public:
    explicit RareCall(ServerContext& context) noexcept : context_(context) { ++context_.rare_calls; }
    ~RareCall() { --context_.rare_calls; }
    RareCall(const RareCall&) = delete;
    RareCall& operator=(const RareCall&) = delete;

   private:
    ServerContext& context_;
  };
  int rare_calls = 0;  // calls that are on the stack
  const HTTPServerOptions options;
  const std::unique_ptr<const ProxyHeaders> proxy_headers;  // null unless Options::xheaders is set
  const bool needs_slow_path;  // an option is set that the fast path does not handle
  const bool follows_connections;
  const RequestParser::Limits limits;
  DefaultHeaders default_headers;
  ExchangePool exchanges;
  ConnectionTable connections;
  SwitchedConnections switched;
};

}  // namespace squall::http
