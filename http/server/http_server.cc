#include <squall/http/server/http_server.h>

#include <squall/http/server/connection_delegate_adapter.h>
#include <squall/http/server/idle_connection.h>
#include <squall/http/server/server_connection.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/sync/condition.h>
#include <squall/iostream/socket/socket.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

// Exchanges beyond this, after many requests waited at a time, are not kept.
constexpr std::size_t kSpareExchanges = 64;
// The connections are visited in so many parts, one a tick, so that no tick takes long.
constexpr int kParts = 8;
constexpr std::size_t part_of(std::size_t count) noexcept { return count == 0 ? 0 : count / kParts + 1; }

// Every connection is visited four times in the shortest timeout, but not too often and not too seldom.
std::chrono::nanoseconds tick_for(const HTTPServer::Options& options) {
  using namespace std::chrono_literals;
  const std::chrono::nanoseconds shortest =
      std::min({options.head_timeout, options.body_timeout, options.idle_timeout, options.write_timeout});
  if (std::min(shortest, options.linger_timeout) <= 0ns)
    throw std::invalid_argument("an HTTPServer's timeouts must be positive");
  return std::clamp<std::chrono::nanoseconds>(shortest / 4, 10ms, 5s) / kParts;
}

}  // namespace

HTTPServer::HTTPServer(IOLoop& loop, ServerDelegate& delegate, Options options)
    : TCPServer(options, loop),
      delegate_(delegate),
      options_(std::move(options)),
      looks_closer_(options_.xheaders || options_.trust_request_id || options_.measure_times ||
                    options_.protocol == Options::Protocol::https),
      follows_connections_(delegate.follows_connections()),
      default_headers_(delegate),
      tick_(tick_for(options_)) {
  limits_.max_header_size = options_.max_header_size;
  limits_.max_header_count =
      options_.max_header_count > 0 ? options_.max_header_count : std::numeric_limits<std::size_t>::max();
  if (options_.chunk_size == 0) throw std::invalid_argument("an HTTPServer's chunk_size must be positive");
  if (options_.xheaders) {
    proxy_headers_ = std::make_unique<ProxyHeaders>(options_.trusted_peers, options_.trusted_downstream);
  }
}

HTTPServer::HTTPServer(IOLoop& loop, std::unique_ptr<ServerDelegate> adapter, Options options)
    : HTTPServer(loop, *adapter, std::move(options)) {
  adapter_ = std::move(adapter);
}

HTTPServer::HTTPServer(IOLoop& loop, HTTPServerConnectionDelegate& delegate, Options options)
    : HTTPServer(loop, std::make_unique<ConnectionDelegateAdapter>(delegate), std::move(options)) {}

HTTPServer::~HTTPServer() {
  destroy_all_connections();
  while (idle_.first) remove_idle(*idle_.first);
  loop().remove_timeout(sweep_);
}

// ---- Connections: idle ones wake to become active, active ones are parked to become idle.

template <class Connection>
void HTTPServer::List<Connection>::push_back(Connection& connection) noexcept {
  connection.previous_ = last;
  (last ? last->next_ : first) = &connection;
  last = &connection;
  ++count;
}

template <class Connection>
void HTTPServer::List<Connection>::remove(Connection& connection) noexcept {
  (connection.previous_ ? connection.previous_->next_ : first) = connection.next_;
  (connection.next_ ? connection.next_->previous_ : last) = connection.previous_;
  connection.previous_ = connection.next_ = nullptr;
  --count;
}

void HTTPServer::accepted(OwnedFd fd, const Address& peer) {
  if (tls()) {
    run(secure(IOStream(loop(), std::move(fd), options_.stream, IOStream::Known::nonblocking), peer));
    return;
  }
  auto idle = std::make_unique<IdleConnection>(*this, IOStream::Idle{std::move(fd), nullptr}, peer);
  idle->watch_first();
  add_idle(std::move(idle));
}

// A connection until its handshake is done.
Task<> HTTPServer::secure(IOStream stream, Address peer) {
  const Counted counted(*this, peer);
  try {
    const bool is_ready = co_await handshake(stream);
    if (is_ready && !draining()) begin(std::move(stream), peer);
  } catch (...) {
    log::general().error("Cannot serve {}: {}", peer, current_what());
  }
}

// Serves a stream that may have received something already.
void HTTPServer::begin(IOStream stream, const Address& peer) {
  // First what may fail for want of memory: a descriptor that was given up is still known to the loop.
  auto idle = std::make_unique<IdleConnection>(*this, IOStream::Idle(), peer);
  keep_sweeping();
  idle->idle_ = stream.release();
  if (idle->idle_.fd) {
    idle->watch_again();
    add_idle(std::move(idle));
    return;
  }
  idle.reset();
  ServerConnection* const before = active_.last;
  TaskGroup::Member* const member = run(handle_stream(std::move(stream), peer));
  if (member && active_.last && active_.last != before) active_.last->member_ = member;
}

void HTTPServer::add_idle(std::unique_ptr<IdleConnection> connection) {
  keep_sweeping();
  idle_.push_back(*connection.release());
}

std::unique_ptr<IdleConnection> HTTPServer::remove_idle(IdleConnection& connection) noexcept {
  if (visit_next_idle_ == &connection) visit_next_idle_ = connection.next_;
  idle_.remove(connection);
  return std::unique_ptr<IdleConnection>(&connection);
}

// A request has begun to arrive, or the client has gone.
void HTTPServer::wake(IdleConnection& connection, Events events) {
  std::unique_ptr<IdleConnection> idle = remove_idle(connection);
  const int fd = idle->idle_.fd.get();
  IOStream stream(loop(), idle->take(), options_.stream);
  TaskGroup::Member* const member = run(handle_stream(std::move(stream), idle->peer()));
  if (!member) return;
  ServerConnection& active = *active_.last;
  active.member_ = member;
  idle.reset();  // the other counts for the connection now
  loop().call_handler(fd, events);
  // Whatever it did, if it is still there it stands where it stood.
  if (active_.last == &active && active.member_ == member && active_.count > kKeptConnections) park(active);
}

// Gives up the coroutine of a connection that has nothing to do. False if it has, or if memory is short.
bool HTTPServer::park(ServerConnection& connection) noexcept {
  if (connection.phase_ != ServerConnection::Phase::idle || connection.closing_ || connection.exchange_)
    return false;
  if (!connection.member_ || follows_connections_) return false;
  try {
    auto idle = std::make_unique<IdleConnection>(*this, IOStream::Idle(), connection.peer_);
    keep_sweeping();
    idle->since_ = connection.since_;
    idle->idle_ = connection.stream_.release();
    if (!idle->idle_.fd) return false;
    idle->watch_again();
    destroy_connection(*connection.member_);
    add_idle(std::move(idle));
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void HTTPServer::close_all_connections() {
  TCPServer::close_all_connections();
  while (idle_.first) remove_idle(*idle_.first);
}

void HTTPServer::on_drain() {
  for (IdleConnection* idle = idle_.first; idle;) {
    IdleConnection* const next = idle->next_;
    // Bytes that have arrived wake it in this turn or the next.
    if (peek_at(idle->idle_.fd.get()) <= 0) remove_idle(*idle);
    idle = next;
  }
  for (ServerConnection* active = active_.first; active;) {
    ServerConnection* const next = active->next_;
    active->drain();
    active = next;
  }
}

[[gnu::hot]] Task<> HTTPServer::handle_stream(IOStream stream, Address peer) {
  ServerConnection connection(*this, stream, peer);
  auto next = ServerConnection::Next::read;
  while (next != ServerConnection::Next::close) {
    const std::string_view bytes = co_await stream.read_some(std::nothrow);
    next = bytes.empty() ? connection.receive_end() : connection.receive(bytes);
    while (next == ServerConnection::Next::wait) next = co_await connection.wait();
  }
}

// A connection that was handed in. Two tasks know it: the group's, which serves it, and the one that waits
// for that. Whichever is destroyed first, the other is told.
struct HTTPServer::Handed {
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

  HTTPServer& server;  // while there is a member
  TaskGroup::Member* member = nullptr;
  bool has_ended = false;
  Condition ended;
  std::exception_ptr error;
};

Task<> HTTPServer::serve_handed(IOStream stream, Address peer, Handed& handed) {
  const Handed::Serving serving(handed);
  try {
    co_await handle_stream(std::move(stream), peer);
  } catch (...) {
    handed.error = std::current_exception();
  }
}

Task<> HTTPServer::serve_stream(IOStream stream, Address peer) {
  Handed handed(*this);
  handed.member = run(serve_handed(std::move(stream), peer, handed));
  while (!handed.has_ended) co_await handed.ended.wait();
  if (handed.error) std::rethrow_exception(handed.error);
}

void HTTPServer::add(ServerConnection& connection) noexcept { active_.push_back(connection); }

void HTTPServer::remove(ServerConnection& connection) noexcept {
  if (visit_next_ == &connection) visit_next_ = connection.next_;
  active_.remove(connection);
}

// ---- Deadlines.

void HTTPServer::sweep_later() {
  sweep_ = loop().call_later(tick_, [this] { sweep(); });
}

void HTTPServer::sweep() {
  sweep_ = {};
  sweep_later();
  const IOLoop::TimePoint now = loop().time();
  for (std::size_t left = part_of(idle_.count); left > 0; --left) {
    if (!visit_next_idle_) visit_next_idle_ = idle_.first;
    IdleConnection* const connection = visit_next_idle_;
    visit_next_idle_ = connection->next_;
    if (now - connection->since_ >= options_.idle_timeout) remove_idle(*connection);
  }
  for (std::size_t left = part_of(active_.count); left > 0; --left) {
    if (!visit_next_) visit_next_ = active_.first;
    ServerConnection* const connection = visit_next_;
    visit_next_ = connection->next_;
    visit(*connection);
    if (active_.count > kKeptConnections) park(*connection);
  }
  if (connections() > 0) return;
  loop().remove_timeout(sweep_);
  sweep_ = {};
}

// The others' deadlines must not depend on what happens to this one.
void HTTPServer::visit(ServerConnection& connection) noexcept {
  try {
    connection.visit();
  } catch (...) {
    log::general().error("Cannot look after a connection: {}", current_what());
    connection.stream_.close();
  }
}

[[gnu::hot]] std::unique_ptr<Exchange> HTTPServer::take_exchange() {
  if (spare_.empty()) [[unlikely]]
    return std::make_unique<Exchange>();
  std::unique_ptr<Exchange> exchange = std::move(spare_.back());
  spare_.pop_back();
  return exchange;
}

[[gnu::hot]] void HTTPServer::give_back(std::unique_ptr<Exchange> exchange) noexcept {
  if (spare_.size() >= kSpareExchanges) [[unlikely]]
    return;
  try {
    spare_.push_back(std::move(exchange));
  } catch (const std::bad_alloc&) {
    // No room to keep it.
  }
}

}  // namespace squall::http
