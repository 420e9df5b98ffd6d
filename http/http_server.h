#pragma once

#include <squall/http/date.h>
#include <squall/http/exchange.h>
#include <squall/http/server_delegate.h>
#include <squall/iostream/tcp_server.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace squall::http {

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

    std::size_t max_header_size = 64 * 1024;        // request line and headers: 414 or 431 beyond
    std::size_t max_body_size = 100 * 1024 * 1024;  // 413 beyond
    std::chrono::nanoseconds head_timeout = std::chrono::seconds(60);   // from a request's first byte: 408
    std::chrono::nanoseconds body_timeout = std::chrono::hours(1);      // from the head's end: 408
    std::chrono::nanoseconds idle_timeout = std::chrono::hours(1);      // between requests: closed
    std::chrono::nanoseconds write_timeout = std::chrono::seconds(60);  // without any progress: closed
    // After the last response, to a client that goes on sending: closed, having had time to read it.
    std::chrono::nanoseconds linger_timeout = std::chrono::seconds(5);
    HalfClosed half_closed = HalfClosed::is_gone;
    bool keep_alive = true;  // false: one request a connection
  };

  HTTPServer(IOLoop& loop, ServerDelegate& delegate, Options options);
  HTTPServer(IOLoop& loop, ServerDelegate& delegate) : HTTPServer(loop, delegate, Options()) {}
  ~HTTPServer() override;

  static constexpr std::size_t kKeptConnections = 1024;

  const Options& options() const noexcept { return options_; }
  void close_all_connections() override;

 protected:
  void accepted(OwnedFd fd, const Address& peer) override;
  Task<> handle_stream(IOStream stream, Address peer) override;
  // Idle connections are closed, the others after the response that is being made.
  void on_drain() override;

 private:
  friend class IdleConnection;
  friend class ServerConnection;
  template <class Connection>
  struct List {
    void push_back(Connection& connection) noexcept;
    void remove(Connection& connection) noexcept;
    Connection* first = nullptr;
    Connection* last = nullptr;
    std::size_t count = 0;
  };

  void add(ServerConnection& connection);
  void remove(ServerConnection& connection) noexcept;
  void wake(IdleConnection& idle, Events events);
  bool park(ServerConnection& connection) noexcept;
  void add_idle(std::unique_ptr<IdleConnection> connection);
  std::unique_ptr<IdleConnection> remove_idle(IdleConnection& connection) noexcept;
  void sweep();
  void sweep_later();
  void visit(ServerConnection& connection) noexcept;
  std::unique_ptr<Exchange> take_exchange();
  void give_back(std::unique_ptr<Exchange> exchange) noexcept;

  ServerDelegate& delegate_;
  Options options_;
  RequestParser::Limits limits_;
  DefaultHeaders default_headers_;
  std::vector<std::unique_ptr<Exchange>> spare_;
  List<ServerConnection> active_;
  List<IdleConnection> idle_;  // the one that has waited longest in front
  // Deadlines are fields of the connections, and one timer visits these in turn: no request touches the heap.
  ServerConnection* visit_next_ = nullptr;
  std::chrono::nanoseconds tick_;
  Timeout sweep_;
};

}  // namespace squall::http
