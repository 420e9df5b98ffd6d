#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/deadline.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/sleep.h>
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
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace squall {

// The result of TCPServer::close_all_connections(), which need not be awaited.
class ConnectionsClosed : public MomentAwaiter {
 public:
  static constexpr bool kMayBeDropped = true;
  using MomentAwaiter::MomentAwaiter;
};

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
// Limits: at most Options::max_connections are open; further connections wait in the kernel's backlog until
// one ends. A connection beyond max_connections_per_address of its address is accepted and closed. A process
// without a free descriptor accepts and closes one connection, with a descriptor in reserve, and pauses
// accepting for kPause. It pauses also when the system has no memory or accept() fails because of the
// listening socket. Each of these logs at most one line a second.
//
// Behind a proxy: each connection of a peer in Options::proxy_protocol begins with a PROXY header of version
// 1 or 2. handle_stream() gets the client's address from the header; the proxy's is
// Address::peer_of(stream.fd()). A malformed header, or one that is not complete in time, is logged with the
// proxy's address and the reason, and its connection is closed. The bytes of other peers are never parsed
// as a header.
//
// Several processes or threads (TSV-03, TSV-04): call bind_sockets(), then fork_processes(), and make a loop
// and a server in each child, with the sockets through add_sockets(); or listen() in each with reuse_port.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop, which may end first. Owns its connections: destruction cancels their tasks. If
//            the tasks of a derived class use its members in their destructors, the class must call
//            destroy_all_connections() in its own destructor. A connection's task must not destroy the
//            server: where that is noticed, a message ends the program.
// Errors:    see the methods. Exceptions of handle_stream() are logged.
// Source:    TSV rows of the specification.
class TCPServer {
 public:
  using Options = TCPServerOptions;
  static constexpr std::chrono::milliseconds kPause{100};

  // Throws std::invalid_argument for a limit of 0, and for a proxy_protocol.timeout that is not positive.
  explicit TCPServer(IOLoop& loop = IOLoop::current()) : TCPServer(Options(), loop) {}
  explicit TCPServer(Options options, IOLoop& loop = IOLoop::current());
  virtual ~TCPServer();
  TCPServer(const TCPServer&) = delete;
  TCPServer& operator=(const TCPServer&) = delete;

  // Binds a port and begins to accept. May be called for several ports. Throws as bind_sockets() does, and
  // then nothing has changed.
  void listen(std::uint16_t port, const ListenOptions& options = {});
  // The same for a Unix socket: see bind_unix_socket(). stop() removes its file, unless another server has
  // taken over the path.
  void listen_unix(std::string_view name, const UnixListenOptions& options = {});
  // Accepts on listening sockets: bound before a fork, or by systemd (listen_fds()). They become
  // non-blocking, and accepted connections have TCP_NODELAY. Throws std::invalid_argument if a socket is
  // not a listening socket, and std::system_error. All sockets are closed then, and nothing has changed.
  void add_sockets(std::vector<OwnedFd> sockets);
  void add_socket(OwnedFd socket);
  // From the next connection on, handle_stream() gets a stream after its TLS handshake (unlike TSV-07). The
  // handshake must end within the context's handshake_timeout. Handshakes delay neither accepting nor other
  // connections. Throws std::invalid_argument if `context` is a client's.
  void use_tls(TLSContext context);

  // Closes the listening sockets; open connections continue. The kernel refuses the connections in the
  // backlog of a socket, unless another process has the socket open. May be called again, and listen() may
  // follow.
  void stop() noexcept;
  // Stops, waits until the deadline for connections to end, closes the rest, and returns their number.
  //
  //     co_await signals;                                // SIGTERM
  //     const std::size_t cut = co_await server.drain(30s);
  //
  // Lifetime:  borrows the server. If the task is dropped, the server has stopped and the connections
  //            continue. If the server gets sockets meanwhile, draining ends: the result is 0, and the
  //            connections continue.
  // Errors:    throws std::logic_error if a connection or a handler of the server awaits the task, which
  //            would wait for its own end: spawn it instead. The server continues then.
  Task<std::size_t> drain(Deadline deadline);
  // Drains several servers of one loop at once, each as drain() does, and returns the sum. If a connection of
  // one of them awaits the task, all servers continue.
  static Task<std::size_t> drain_all(std::vector<std::reference_wrapper<TCPServer>> servers,
                                     Deadline deadline);
  // Whether drain() has begun, and the server got no sockets since.
  bool draining() const noexcept { return draining_; }
  // Cancels all connections at the end of the loop's turn, so that a connection's own task may call it.
  // `co_await server.close_all_connections();` resumes when their tasks are destroyed (HSV-15).
  virtual ConnectionsClosed close_all_connections();

  // The port of the first TCP socket, also if the system chose it; 0 without a TCP socket.
  std::uint16_t port() const noexcept;
  // Open connections.
  std::size_t connections() const noexcept { return count_; }
  std::size_t max_connections() const noexcept { return max_connections_; }
  IOLoop& loop() const noexcept { return *loop_; }

 protected:
  // Serves one connection. StreamClosedError ends it without a log line; other exceptions are logged with the
  // peer's address. The server and the other connections are not affected.
  virtual Task<> handle_stream(IOStream stream, Address peer) = 0;

  // Called for each connection; by default runs handle_stream(). A server that overrides it calls count_in()
  // and count_out() itself. `fd` is non-blocking and not registered with the loop. Exceptions are logged.
  virtual void accepted(OwnedFd fd, const Address& peer);
  // Called in place of accepted() for a connection with a PROXY header; `header` is valid during the call.
  // By default calls accepted() with the client's address. Override it to use other values of the header:
  // the destination, or the client's TLS.
  virtual void accepted_from_proxy(OwnedFd fd, const Address& proxy, const ProxyHeader& header);
  // drain() has begun: idle connections may end now.
  virtual void on_drain() {}

  // Count a connection of this address. When one object of a connection replaces another, the new one counts
  // in before the old one counts out.
  void count_in(const Address& peer);
  void count_out(const Address& peer) noexcept;
  // The context of use_tls().
  const std::optional<TLSContext>& tls() const noexcept { return tls_; }
  // Does the server's TLS handshake with that context, as accept_tls(). Only after use_tls().
  Task<bool> handshake(IOStream& stream) const { return accept_tls_(stream, *tls_); }
  // Counts a connection from construction to destruction.
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

  // Runs a connection's task. Null if it has already ended.
  TaskGroup::Member* run(Task<> connection) { return connections_.add(std::move(connection)); }
  void destroy_connection(TaskGroup::Member& connection) noexcept { connections_.destroy(connection); }
  // Cancels all connections at once. Must not be called by a connection's task.
  void destroy_all_connections() noexcept;

 private:
  class Acceptor;
  // The end of a drain() that closes connections. If one of them awaits that drain() through something other
  // than tasks, such as an AsyncGenerator, it is destroyed too.
  class Cut : public ListNode<> {
   public:
    explicit Cut(TCPServer& server) noexcept : server_(server) { server_.cuts_.push_back(*this); }
    ~Cut();

   private:
    TCPServer& server_;
  };
  // Allows one log line a second, for lines that clients cause.
  class OnceASecond {
   public:
    bool due(IOLoop::TimePoint now) noexcept;

   private:
    IOLoop::TimePoint next_{};
  };

  void add(std::vector<std::unique_ptr<Acceptor>> acceptors);
  void check_drain(const detail::PromiseBase& task) const;
  bool has_room() const noexcept { return count_ < max_connections_; }
  // Serve a connection, or close it.
  void welcome(OwnedFd fd, const Address& peer);
  bool admits(const Address& peer);
  Task<> introduce(OwnedFd fd, Address proxy);
  Task<> supervise(IOStream stream, Address peer);

  LoopRef loop_;
  Options options_;
  std::size_t max_connections_;
  std::size_t count_ = 0;
  std::optional<AddressCounts> per_address_;  // nullopt: no limit for an address
  bool draining_ = false;
  unsigned additions_ = 0;  // calls of add()
  IntrusiveList<Cut> cuts_;
  Condition emptied_;  // the last connection has ended
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  OwnedFd spare_;  // the spare descriptor: see open_spare()
  OnceASecond cannot_accept_;
  OnceASecond is_full_;
  OnceASecond refused_;
  std::optional<TLSContext> tls_;
  // Set by use_tls(): without a direct call, the linker drops TLS from a program that never calls use_tls().
  Task<bool> (*accept_tls_)(IOStream&, TLSContext) = nullptr;
  TaskGroup connections_;
};

}  // namespace squall
