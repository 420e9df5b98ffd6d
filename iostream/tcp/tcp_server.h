#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/ioloop/sync/condition.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/socket/bind_sockets.h>
#include <squall/iostream/socket/bind_unix_socket.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/tcp/address_counts.h>
#include <squall/iostream/tcp/proxy_protocol.h>
#include <squall/iostream/tcp/tcp_server_options.h>
#include <squall/iostream/tls/tls_context.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace squall {

// Accepts connections and runs a task for each.
//
//     class EchoServer : public TCPServer {
//       Task<> handle_stream(IOStream stream, Address) override {
//         for (;;) {
//           const ReadView line = co_await stream.read_until("\n", 64 * 1024);
//           co_await stream.write(line);
//         }
//       }
//     };
//
// Limits: up to Options::max_connections are open; further ones wait in the kernel's backlog until one ends.
// An address that has max_connections_per_address is sent away: accepted and closed. When the process has no
// descriptor left for a connection, it is refused the same way (with a descriptor that is kept in reserve),
// and accepting pauses for kPause. It pauses too when the system is out of memory, or says that the socket is
// none to accept on. Each of these logs one line a second at most.
//
// Behind a proxy: who is listed in Options::proxy_protocol begins each connection with a PROXY header,
// version 1 or 2, and handle_stream() is given the client's address from it; the proxy's own is
// Address::peer_of(stream.fd()). A header that is none, or not all there in time, is logged with the proxy's
// address and the reason, and its connection closed. Everybody else's bytes are never taken for a header.
//
// Several processes or threads (TSV-03, TSV-04): bind_sockets(), then fork_processes(), then a loop and a
// server in each child, which is given the sockets by add_sockets(); or reuse_port and a listen() in each.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop. Owns its connections: destroying the server cancels their tasks. A derived
//            class whose tasks' locals use its members in their destructors calls destroy_all_connections()
//            in its own.
class TCPServer {
 public:
  using Options = TCPServerOptions;
  static constexpr std::chrono::milliseconds kPause{100};

  // Throws std::invalid_argument for a limit of 0.
  explicit TCPServer(IOLoop& loop = IOLoop::current()) : TCPServer(Options(), loop) {}
  explicit TCPServer(Options options, IOLoop& loop = IOLoop::current());
  virtual ~TCPServer();
  TCPServer(const TCPServer&) = delete;
  TCPServer& operator=(const TCPServer&) = delete;

  // Binds and accepts from now on. May be called for several ports. Throws std::system_error, and then
  // nothing has changed.
  void listen(std::uint16_t port, const ListenOptions& options = {});
  // The same for a Unix socket: see bind_unix_socket(). Its file goes when the server stops, unless another
  // one has taken over the path.
  void listen_unix(std::string_view name, const UnixListenOptions& options = {});
  // Accepts on sockets that listen already: bound before a fork, or by systemd (listen_fds()). They are made
  // non-blocking, and what they accept sends small writes at once (TCP_NODELAY). Throws
  // std::invalid_argument if one is no socket that listens, std::system_error; they are closed then, and
  // nothing has changed.
  void add_sockets(std::vector<OwnedFd> sockets);
  void add_socket(OwnedFd socket);
  // From the next connection on handle_stream() is called with a stream whose TLS handshake is done (unlike
  // TSV-07), if it succeeds within the context's handshake_timeout. It holds up neither accepting nor others.
  // Throws std::invalid_argument if `context` is a client's.
  void use_tls(TLSContext context);

  // No further connections; those there are go on. The listening sockets are closed, and whoever waits to be
  // accepted on one that nobody else has is refused. May be called again, and be followed by listen().
  void stop() noexcept;
  // Stops, and gives those at work until the deadline, a duration or a time_point, to finish. Returns, once
  // no connection is left, how many were cut.
  //
  //     co_await signals;                                // SIGTERM
  //     const std::size_t cut = co_await server.drain(30s);
  //
  // Lifetime:  borrows the server. Dropped before its end, nothing is cut: the server has stopped, and the
  //            connections go on. A connection that awaits it waits for itself, and is cut. Given sockets
  //            while it waits, the server is no longer draining: it returns 0, and nothing is cut.
  Task<std::size_t> drain(Deadline deadline);
  // drain() has begun, and the server was given no sockets since.
  bool draining() const noexcept { return draining_; }
  // At the end of the loop's turn, so that a connection's own task may call it.
  virtual void close_all_connections() { connections_.cancel(); }

  // The first TCP socket's port: what port 0 has become. 0 if it listens on none.
  std::uint16_t port() const noexcept;
  // Open ones.
  std::size_t connections() const noexcept { return count_; }
  std::size_t max_connections() const noexcept { return max_connections_; }
  IOLoop& loop() const noexcept { return loop_; }

 protected:
  // One connection's work, which owns its stream. StreamClosedError ends it quietly; other errors are logged
  // with the peer's address. The server and the other connections go on.
  virtual Task<> handle_stream(IOStream stream, Address peer) = 0;

  // A connection is there: by default runs handle_stream(). For servers that would rather do it in their own
  // way, and then count it in and out themselves. `fd` is non-blocking and not registered with the loop. What
  // it throws is logged.
  virtual void accepted(OwnedFd fd, const Address& peer);
  // The same for one that came with a PROXY header, which is valid during the call: by default accepted(),
  // with the client's address. For servers that want more of the header: where the client wanted to go, or
  // how it was secured.
  virtual void accepted_from_proxy(OwnedFd fd, const Address& proxy, const ProxyHeader& header);
  // drain() has begun: connections that wait for nothing but a next request may end now.
  virtual void on_drain() {}

  // One more connection, or one less, in all and of this address. Between two objects that stand for a
  // connection in turn, the next counts in before the last counts out.
  void count_in(const Address& peer);
  void count_out(const Address& peer) noexcept;
  // What use_tls() was given.
  const std::optional<TLSContext>& tls() const noexcept { return tls_; }
  // accept_tls() with that context. Only after use_tls().
  Task<bool> handshake(IOStream& stream) const { return accept_tls_(stream, *tls_); }
  // A connection that counts for as long as this lives.
  class Counted {
   public:
    Counted(TCPServer& server, const Address& peer) : server_(server), peer_(peer) { server.count_in(peer); }
    ~Counted() { server_.count_out(peer_); }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

   private:
    TCPServer& server_;
    const Address peer_;
  };

  // Runs a connection's task. Null if it has ended already.
  TaskGroup::Member* run(Task<> connection) { return connections_.add(std::move(connection)); }
  void destroy_connection(TaskGroup::Member& connection) noexcept { connections_.destroy(connection); }
  // Cancels all connections now. Not from within one.
  void destroy_all_connections() noexcept { connections_.destroy(); }

 private:
  class Acceptor;
  // For lines that a client could otherwise fill the log with.
  class OnceASecond {
   public:
    bool due(IOLoop::TimePoint now) noexcept;

   private:
    IOLoop::TimePoint next_{};
  };

  void add(std::vector<std::unique_ptr<Acceptor>> acceptors);
  bool has_room() const noexcept { return count_ < max_connections_; }
  // Nothing of these is left to the caller: a connection is served, or closed.
  void welcome(OwnedFd fd, const Address& peer);
  bool admits(const Address& peer);
  Task<> introduce(OwnedFd fd, Address proxy);
  Task<> supervise(IOStream stream, Address peer);

  IOLoop& loop_;
  Options options_;
  std::size_t max_connections_;
  std::size_t count_ = 0;
  std::optional<AddressCounts> per_address_;  // if they are limited
  bool draining_ = false;
  unsigned given_ = 0;  // how often it was given sockets
  Condition emptied_;   // the last connection has ended
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  OwnedFd spare_;  // given up for a moment to refuse a connection when there is no other descriptor left
  OnceASecond cannot_accept_;
  OnceASecond is_full_;
  OnceASecond sent_away_;
  std::optional<TLSContext> tls_;
  // Set by use_tls(): without a direct call, the linker drops TLS from a program that never calls use_tls().
  Task<bool> (*accept_tls_)(IOStream&, TLSContext) = nullptr;
  TaskGroup connections_;
};

}  // namespace squall
