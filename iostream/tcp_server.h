#pragma once

#include <squall/ioloop/ioloop.h>
#include <squall/ioloop/owned_fd.h>
#include <squall/ioloop/task.h>
#include <squall/ioloop/task_group.h>
#include <squall/iostream/address.h>
#include <squall/iostream/bind_sockets.h>
#include <squall/iostream/iostream.h>
#include <squall/iostream/tls_context.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
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
// When the process has no descriptor left for a connection, it is refused (accepted and closed, with one that
// is kept in reserve), accepting pauses for kPause, and at most one line a second is logged. It pauses too
// when the system is out of memory, or says that the socket is none to accept on.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the loop. Owns its connections: destroying the server cancels their tasks. A derived
//            class whose tasks' locals use its members in their destructors calls destroy_all_connections()
//            in its own.
class TCPServer {
 public:
  static constexpr std::chrono::milliseconds kPause{100};

  explicit TCPServer(IOLoop& loop = IOLoop::current(), IOStream::Options options = IOStream::Options());
  virtual ~TCPServer();
  TCPServer(const TCPServer&) = delete;
  TCPServer& operator=(const TCPServer&) = delete;

  // Binds and accepts from now on. May be called for several ports. Throws std::system_error, and then
  // nothing has changed.
  void listen(std::uint16_t port, const ListenOptions& options = {});
  // Accepts on sockets that listen already, and are made non-blocking.
  void add_sockets(std::vector<OwnedFd> sockets);
  // From the next connection on handle_stream() is called with a stream whose TLS handshake is done (unlike
  // TSV-07), if it succeeds within the context's handshake_timeout. It holds up neither accepting nor others.
  // Throws std::invalid_argument if `context` is a client's.
  void use_tls(TLSContext context);
  // No further connections; those there are go on. May be called again, and be followed by listen().
  void stop() noexcept;
  // At the end of the loop's turn, so that a connection's own task may call it.
  virtual void close_all_connections() { connections_.cancel(); }

  // The first socket's port: what port 0 has become. 0 if it listens nowhere.
  std::uint16_t port() const noexcept;
  virtual std::size_t connections() const noexcept { return connections_.size(); }
  IOLoop& loop() const noexcept { return loop_; }

 protected:
  // One connection's work, which owns its stream. StreamClosedError ends it quietly; other errors are logged
  // with the peer's address. The server and the other connections go on.
  virtual Task<> handle_stream(IOStream stream, Address peer) = 0;

  // A connection has been accepted: by default runs handle_stream(). For servers that would rather do it in
  // their own way. What it throws is logged.
  virtual void accepted(OwnedFd fd, const Address& peer);
  // Runs a connection's task. Null if it has ended already.
  TaskGroup::Member* run(Task<> connection) { return connections_.add(std::move(connection)); }
  void destroy_connection(TaskGroup::Member& connection) noexcept { connections_.destroy(connection); }
  // Cancels all connections now. Not from within one.
  void destroy_all_connections() noexcept { connections_.destroy(); }

 private:
  class Acceptor;

  Task<> supervise(IOStream stream, Address peer);

  IOLoop& loop_;
  IOStream::Options options_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  OwnedFd spare_;  // given up for a moment to refuse a connection when there is no other descriptor left
  IOLoop::TimePoint next_complaint_{};
  std::optional<TLSContext> tls_;
  TaskGroup connections_;
};

}  // namespace squall
