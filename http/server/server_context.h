#pragma once

#include <squall/http/codec/request_parser.h>
#include <squall/http/server/connection_table.h>
#include <squall/http/server/default_headers.h>
#include <squall/http/server/exchange_pool.h>
#include <squall/http/server/http_server_options.h>
#include <squall/http/server/proxy_headers.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/tcp/tcp_server.h>

#include <memory>

namespace squall::http {

class ParkedConnection;
class ServerConnection;
class ServerDelegate;

// The server, as its connections see it.
class ConnectionHost {
 public:
  // A connection from this address exists, or exists no longer. A connection that is parked or woken is
  // counted in again before it is counted out.
  virtual void count_connection(const Address& peer) = 0;
  virtual void uncount_connection(const Address& peer) noexcept = 0;
  // Bytes have come for a parked connection, or its client has gone: it becomes active.
  virtual void wake(ParkedConnection& connection, Events events) = 0;
  // The connection may give up its coroutine now, as it waits for a request and all its bytes are sent.
  // Destroys it then.
  virtual void may_park(ServerConnection& connection) noexcept = 0;

 protected:
  ~ConnectionHost() = default;
};

// All that the connections of a server share.
//
// Thread:    the server's loop.
// Lifetime:  a part of the server; borrows the loop and the delegate.
struct ServerContext {
  // Throws std::invalid_argument for a timeout that is not positive, and a chunk_size of 0.
  ServerContext(ConnectionHost& host, const TCPServer& server, ServerDelegate& delegate,
                HTTPServerOptions options);

  ConnectionHost& host;
  const TCPServer& server;
  IOLoop& loop;
  ServerDelegate& delegate;
  const HTTPServerOptions options;
  const std::unique_ptr<const ProxyHeaders> proxy_headers;  // null unless Options::xheaders is set
  const bool needs_slow_path;  // an option wants more of a request than most servers do
  const bool follows_connections;
  const RequestParser::Limits limits;
  DefaultHeaders default_headers;
  ExchangePool exchanges;
  ConnectionTable connections;
};

}  // namespace squall::http
