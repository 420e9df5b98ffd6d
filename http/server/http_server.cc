#include <squall/http/server/http_server.h>

#include <squall/http/server/connection_delegate_adapter.h>
#include <squall/http/server/parked_connection.h>
#include <squall/http/server/server_connection.h>
#include <squall/http/server/server_context.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/fatal.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/sync/condition.h>
#include <squall/iostream/socket/socket.h>

#include <exception>
#include <utility>

namespace squall::http {

// The connections of a server. Makes a parked connection active when bytes arrive, and parks an idle one.
class HTTPServer::Core final : public ConnectionHost {
 public:
  struct Handed;

  Core(HTTPServer& server, ServerDelegate& delegate)
      : server_(server), context_(*this, server, delegate, server.options_) {}
  ~Core() {
    check_destruction();
    server_.TCPServer::destroy_all_connections();
    close_parked();
  }

  void count_connection(const Address& peer) override { server_.count_in(peer); }
  void uncount_connection(const Address& peer) noexcept override { server_.count_out(peer); }
  void wake(ParkedConnection& connection, Events events) override;
  void run(Task<> task) override { server_.run(std::move(task)); }
  void may_park(ServerConnection& connection) noexcept override;

  void check_destruction() noexcept;
  void accept(OwnedFd fd, const Address& peer);
  void close_parked() noexcept { context_.connections.close_parked(); }
  void cut_switched() noexcept { context_.switched.cut(); }
  void drain();
  Task<> serve(IOStream stream, Address peer, ServerConnection::Observer* observer = nullptr);
  Task<> serve_handed(IOStream stream, Address peer, Handed& handed);

 private:
  Task<> secure(IOStream stream, Address peer);
  void begin(IOStream stream, const Address& peer);

  HTTPServer& server_;
  ServerContext context_;
};

[[gnu::cold]] HTTPServer::HTTPServer(ServerDelegate& delegate, Options options, IOLoop& loop)
    : TCPServer({.stream = options.stream,
                 .max_connections = options.max_connections,
                 .max_connections_per_address = options.max_connections_per_address,
                 .proxy_protocol = options.proxy_protocol},
                loop),
      options_(std::move(options)),
      core_(std::make_unique<Core>(*this, delegate)) {}

HTTPServer::HTTPServer(std::unique_ptr<ServerDelegate> adapter, Options options, IOLoop& loop)
    : HTTPServer(*adapter, std::move(options), loop) {
  adapter_ = std::move(adapter);
}

HTTPServer::HTTPServer(HTTPServerConnectionDelegate& delegate, Options options, IOLoop& loop)
    : HTTPServer(std::make_unique<ConnectionDelegateAdapter>(delegate), std::move(options), loop) {}

[[gnu::cold]] HTTPServer::~HTTPServer() = default;

void HTTPServer::destroy_all_connections() noexcept {
  core_->check_destruction();
  TCPServer::destroy_all_connections();
}

void HTTPServer::accepted(OwnedFd fd, const Address& peer) { core_->accept(std::move(fd), peer); }

Task<> HTTPServer::handle_stream(IOStream stream, Address peer) {
  return core_->serve(std::move(stream), peer);
}

[[gnu::cold]] void HTTPServer::on_drain() { core_->drain(); }

ConnectionsClosed HTTPServer::close_all_connections() {
  core_->close_parked();
  core_->cut_switched();
  return TCPServer::close_all_connections();
}

// ---- A connection's coroutine.

[[gnu::hot]] Task<> HTTPServer::Core::serve(IOStream stream, Address peer,
                                            ServerConnection::Observer* observer) {
  ServerConnection connection(context_, stream, peer, observer);
  auto next = ServerConnection::Next::read;
  while (next != ServerConnection::Next::close) {
    const std::string_view bytes = co_await stream.read_some(std::nothrow);
    next = bytes.empty() ? connection.receive_end() : connection.receive(bytes);
    while (next == ServerConnection::Next::wait) next = co_await connection.wait();
  }
}

// ---- The beginning of a connection.

void HTTPServer::Core::accept(OwnedFd fd, const Address& peer) {
  IOLoop& loop = *context_.loop;
  if (server_.tls()) {
    IOStream stream(std::move(fd), context_.options.stream, IOStream::Known::nonblocking, loop);
    server_.run(secure(std::move(stream), peer));
    return;
  }
  auto parked = std::make_unique<ParkedConnection>(*this, loop, peer);
  parked->watch(std::move(fd));
  context_.connections.park(std::move(parked));
}

// Does the TLS handshake of a connection, and then begins to serve it.
Task<> HTTPServer::Core::secure(IOStream stream, Address peer) {
  const Counted counted(server_, peer);
  try {
    const bool is_ready = co_await server_.handshake(stream);
    if (is_ready && !server_.draining()) begin(std::move(stream), peer);
  } catch (...) {
    log::general().error("Cannot serve {}: {}", peer, current_what());
  }
}

// Parks a connection that waits for its first bytes, and serves one that has received some.
void HTTPServer::Core::begin(IOStream stream, const Address& peer) {
  // Allocated before the stream is released: a released descriptor stays registered with the loop, and a
  // failure here would leave it there.
  auto parked = std::make_unique<ParkedConnection>(*this, *context_.loop, peer);
  context_.connections.prepare();
  if (parked->watch_again(stream.release())) return context_.connections.park(std::move(parked));
  parked.reset();
  ServerConnection::Observer observer;
  TaskGroup::Member* const member = server_.run(serve(std::move(stream), peer, &observer));
  if (member && observer.connection()) observer.connection()->set_member(*member);
}

// ---- Parking and resuming.

void HTTPServer::Core::wake(ParkedConnection& connection, Events events) {
  std::unique_ptr<ConnectionTable::Parked> owned = context_.connections.take(connection);
  const int fd = connection.fd();
  IOStream stream(connection.take(), context_.options.stream, *context_.loop);
  ServerConnection::Observer observer;
  TaskGroup::Member* const member = server_.run(serve(std::move(stream), connection.peer(), &observer));
  if (!member || !observer.connection()) return;
  owned.reset();  // the active connection is counted now
  observer.connection()->set_member(*member);
  context_.loop->call_handler(fd, events);
  if (observer.connection()) may_park(*observer.connection());
}

void HTTPServer::Core::may_park(ServerConnection& connection) noexcept {
  if (context_.connections.active() <= kKeptConnections || !connection.can_be_parked()) return;
  try {
    auto parked = std::make_unique<ParkedConnection>(*this, *context_.loop, connection.peer());
    context_.connections.prepare();
    if (!parked->watch_again(connection.stream().release())) return;
    context_.connections.park(std::move(parked), connection);
    server_.destroy_connection(*connection.member());
  } catch (const std::bad_alloc&) {
    // The connection keeps its coroutine.
  }
}

// A connection that is on the stack would use freed memory.
[[gnu::cold]] void HTTPServer::Core::check_destruction() noexcept {
  bool is_on_stack = context_.rare_calls > 0;
  context_.connections.for_each_active([&](ConnectionTable::Active& connection) {
    is_on_stack = is_on_stack || static_cast<ServerConnection&>(connection).is_on_stack();
  });
  if (is_on_stack)
    detail::fail_fast(
        "a handler destroys the HTTPServer that serves its request: leave that to a callback of the loop");
}

void HTTPServer::Core::drain() {
  ConnectionTable& connections = context_.connections;
  connections.for_each_parked([&connections](ConnectionTable::Parked& connection) {
    // A connection whose bytes have arrived is resumed in this turn or the next.
    if (peek_at(static_cast<ParkedConnection&>(connection).fd()) <= 0) connections.take(connection);
  });
  connections.for_each_active(
      [](ConnectionTable::Active& connection) { static_cast<ServerConnection&>(connection).drain(); });
  context_.switched.drain();
}

// ---- Streams given to serve_stream().

// A connection given to serve_stream(). Two tasks use it: the group's task serves the connection, and the
// caller's task waits for the end. Destroying the caller's task destroys the group's task; destroying the
// group's task ends the wait.
struct HTTPServer::Core::Handed {
  explicit Handed(HTTPServer& server) noexcept : server(server) {}
  ~Handed() {
    if (member) server.destroy_connection(*member);
  }
  Handed(const Handed&) = delete;
  Handed& operator=(const Handed&) = delete;

  class Serving {
   public:
    explicit Serving(Handed& handed) noexcept : handed_(handed) {}
    ~Serving() {
      handed_.member = nullptr;
      handed_.has_ended = true;
      handed_.ended.notify_all();
    }
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;

   private:
    Handed& handed_;
  };

  HTTPServer& server;  // valid while `member` is not null
  TaskGroup::Member* member = nullptr;
  bool has_ended = false;
  Condition ended;
  std::exception_ptr error;
};

Task<> HTTPServer::Core::serve_handed(IOStream stream, Address peer, Handed& handed) {
  const Handed::Serving serving(handed);
  try {
    co_await serve(std::move(stream), peer);
  } catch (...) {
    handed.error = std::current_exception();
  }
}

Task<> HTTPServer::serve_stream(IOStream stream, Address peer) {
  Core::Handed handed(*this);
  handed.member = run(core_->serve_handed(std::move(stream), peer, handed));
  while (!handed.has_ended) co_await handed.ended.wait();
  if (handed.error) std::rethrow_exception(handed.error);
}

}  // namespace squall::http
