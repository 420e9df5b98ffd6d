#pragma once

#include <squall/http/server/default_headers.h>
#include <squall/http/server/exchange.h>
#include <squall/http/server/proxy_headers.h>
#include <squall/http/server/server_delegate.h>
#include <squall/iostream/tcp/tcp_server.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace squall::http {

class HTTPServerConnectionDelegate;
class IdleConnection;
class ServerConnection;

// Serves HTTP/1.1 and 1.0: keep-alive, pipelining in order, bodies with a length or in chunks.
//
// A connection is a coroutine while it has something to do. Between requests it may be just a descriptor: up
// to kKeptConnections keep their coroutine, for speed, the others give it up, for memory.
//
// A request that is none is answered with the status RFC 9112 names, a line in the log says why and from
// whom, and its connection is closed; nothing else is touched.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows loop and delegate. Destroying the server cancels what its connections run.
class HTTPServer : public TCPServer {
 public:
  // TCPServer's too: limits to connections, the streams' buffers, and who may speak the PROXY protocol.
  struct Options : TCPServerOptions {
    // The end of the client's bytes while a handler waits: usually the client has gone, and the handler is
    // cancelled. A client may also end its bytes and wait for the answer; it cannot be told from the other.
    enum class HalfClosed { is_gone, is_answered };
    enum class Protocol { http, https };

    std::size_t max_header_size = 64 * 1024;  // request line and headers: 414 or 431 beyond
    std::size_t max_header_count = 1000;      // fields among them, 0 for any number (HUT-07): 431 beyond
    std::size_t max_body_size = 100 * 1024 * 1024;                     // 413 beyond
    std::chrono::nanoseconds head_timeout = std::chrono::seconds(60);  // from a request's first byte: 408
    // All waiting for a body, however fast or slow its bytes come: 408. Time in which a handler that streams
    // does not read is not counted.
    std::chrono::nanoseconds body_timeout = std::chrono::hours(1);
    std::chrono::nanoseconds idle_timeout = std::chrono::hours(1);      // between requests: closed
    std::chrono::nanoseconds write_timeout = std::chrono::seconds(60);  // without any progress: closed
    // After the last response, to a client that goes on sending: closed, having had time to read it.
    std::chrono::nanoseconds linger_timeout = std::chrono::seconds(5);
    HalfClosed half_closed = HalfClosed::is_gone;
    bool keep_alive = true;              // false: one request a connection
    std::size_t chunk_size = 64 * 1024;  // the largest piece of a body that Request::read() gives
    // Bodies with a Content-Encoding we know are given as they were before that (H1C-40): the field is then
    // called X-Consumed-Content-Encoding. They are bounded by max_body_size, too, and beyond a megabyte by
    // how many times larger they may become (0: any): 413; 400 for what does not decode.
    bool decompress_request = false;
    std::size_t max_decompression_ratio = 200;
    // Behind a proxy: the client's address and protocol are those the proxy's fields name, X-Forwarded-For,
    // X-Real-Ip, X-Forwarded-Proto and X-Scheme (HSV-22, HSV-23). Only those of `trusted_peers` are believed;
    // without any, everybody's are: set it unless nobody but the proxy can connect. In X-Forwarded-For the
    // proxies in `trusted_downstream` are passed over.
    bool xheaders = false;
    std::vector<Network> trusted_peers;
    std::vector<Network> trusted_downstream;
    Protocol protocol = Protocol::http;  // what Request::protocol() says without TLS, unless a proxy does
    // Request::id() is the client's X-Request-Id: with xheaders of those that are believed, otherwise of all.
    bool trust_request_id = false;
    bool measure_times = false;  // fill in Request::times()
  };

  // Throws std::invalid_argument for a timeout that is not positive, a chunk_size of 0, and what TCPServer
  // does not take.
  HTTPServer(IOLoop& loop, ServerDelegate& delegate, Options options);
  HTTPServer(IOLoop& loop, ServerDelegate& delegate) : HTTPServer(loop, delegate, Options()) {}
  // For delegates in Tornado's shape.
  HTTPServer(IOLoop& loop, HTTPServerConnectionDelegate& delegate, Options options);
  HTTPServer(IOLoop& loop, HTTPServerConnectionDelegate& delegate) : HTTPServer(loop, delegate, Options()) {}
  ~HTTPServer() override;

  static constexpr std::size_t kKeptConnections = 1024;

  const Options& options() const noexcept { return options_; }
  void close_all_connections() override;
  // Serves a connection that was not accepted here, until it ends. It is one of the server's: what ends
  // those, draining, close_all_connections() and the server's destruction, ends this one, and then the task.
  // To drop the task closes the connection.
  Task<> serve_stream(IOStream stream, Address peer = Address());

 protected:
  void accepted(OwnedFd fd, const Address& peer) override;
  Task<> handle_stream(IOStream stream, Address peer) override;
  // From now on every response closes its connection. Connections that wait for a request are closed now,
  // unless one has arrived already.
  void on_drain() override;

 private:
  HTTPServer(IOLoop& loop, std::unique_ptr<ServerDelegate> adapter, Options options);
  friend class Exchange;
  friend class IdleConnection;
  friend class ServerConnection;
  struct Handed;
  template <class Connection>
  struct List {
    void push_back(Connection& connection) noexcept;
    void remove(Connection& connection) noexcept;
    Connection* first = nullptr;
    Connection* last = nullptr;
    std::size_t count = 0;
  };

  void add(ServerConnection& connection) noexcept;
  void remove(ServerConnection& connection) noexcept;
  void wake(IdleConnection& idle, Events events);
  Task<> secure(IOStream stream, Address peer);
  Task<> serve_handed(IOStream stream, Address peer, Handed& handed);
  void begin(IOStream stream, const Address& peer);
  bool park(ServerConnection& connection) noexcept;
  void add_idle(std::unique_ptr<IdleConnection> connection);
  std::unique_ptr<IdleConnection> remove_idle(IdleConnection& connection) noexcept;
  void sweep();
  void sweep_later();
  // For every connection that begins: the deadlines of one that never was idle count as well.
  void keep_sweeping() {
    if (!sweep_) sweep_later();
  }
  void visit(ServerConnection& connection) noexcept;
  std::unique_ptr<Exchange> take_exchange();
  void give_back(std::unique_ptr<Exchange> exchange) noexcept;

  std::unique_ptr<ServerDelegate> adapter_;  // of a delegate in Tornado's shape
  ServerDelegate& delegate_;
  Options options_;
  std::unique_ptr<const ProxyHeaders> proxy_headers_;  // none unless they are looked at
  bool looks_closer_;                                  // requests have more to them than most servers want
  bool follows_connections_;
  RequestParser::Limits limits_;
  DefaultHeaders default_headers_;
  std::vector<std::unique_ptr<Exchange>> spare_;
  List<ServerConnection> active_;
  List<IdleConnection> idle_;
  // Deadlines are fields of the connections, and one timer visits these in turn: no request touches the heap.
  ServerConnection* visit_next_ = nullptr;
  IdleConnection* visit_next_idle_ = nullptr;
  std::chrono::nanoseconds tick_;
  Timeout sweep_;
};

}  // namespace squall::http
