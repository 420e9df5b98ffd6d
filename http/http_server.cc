#include <squall/http/http_server.h>

#include <squall/http/idle_connection.h>
#include <squall/http/server_connection.h>
#include <squall/ioloop/errors.h>
#include <squall/ioloop/log.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

// Exchanges beyond this, after many requests waited at a time, are not kept.
constexpr std::size_t kSpareExchanges = 64;
// The connections are visited in so many parts, one a tick, so that no tick takes long.
constexpr int kParts = 8;

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
    : TCPServer(loop, options),
      delegate_(delegate),
      options_(options),
      default_headers_(delegate),
      tick_(tick_for(options)) {
  limits_.max_header_size = options_.max_header_size;
}

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
  auto idle = std::make_unique<IdleConnection>(*this, std::move(fd), peer);
  idle->watch_first();
  add_idle(std::move(idle));
}

void HTTPServer::add_idle(std::unique_ptr<IdleConnection> connection) {
  if (!sweep_) sweep_later();
  idle_.push_back(*connection.release());
}

std::unique_ptr<IdleConnection> HTTPServer::remove_idle(IdleConnection& connection) noexcept {
  idle_.remove(connection);
  return std::unique_ptr<IdleConnection>(&connection);
}

// A request has begun to arrive, or the client has gone.
void HTTPServer::wake(IdleConnection& connection, Events events) {
  std::unique_ptr<IdleConnection> idle = remove_idle(connection);
  const int fd = idle->fd_.get();
  IOStream stream(loop(), idle->take_fd(), options_.stream, IOStream::Known::registered);
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
  try {
    auto idle = std::make_unique<IdleConnection>(*this, OwnedFd(), connection.peer_);
    if (!sweep_) sweep_later();
    idle->fd_ = connection.stream_.release();
    if (!idle->fd_) return false;
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
  while (idle_.first) remove_idle(*idle_.first);
  for (ServerConnection* connection = active_.first; connection; connection = connection->next_)
    connection->drain();
}

Task<> HTTPServer::handle_stream(IOStream stream, Address peer) {
  ServerConnection connection(*this, stream, peer);
  auto next = ServerConnection::Next::read;
  while (next != ServerConnection::Next::close) {
    const std::string_view bytes = co_await stream.read_some(std::nothrow);
    next = bytes.empty() ? connection.receive_end() : connection.receive(bytes);
    while (next == ServerConnection::Next::wait) next = co_await connection.wait();
  }
}

void HTTPServer::add(ServerConnection& connection) { active_.push_back(connection); }

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
  while (idle_.first && now - idle_.first->since() >= options_.idle_timeout) remove_idle(*idle_.first);
  for (std::size_t left = active_.count == 0 ? 0 : active_.count / kParts + 1; left > 0; --left) {
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

std::unique_ptr<Exchange> HTTPServer::take_exchange() {
  if (spare_.empty()) return std::make_unique<Exchange>();
  std::unique_ptr<Exchange> exchange = std::move(spare_.back());
  spare_.pop_back();
  return exchange;
}

void HTTPServer::give_back(std::unique_ptr<Exchange> exchange) noexcept {
  if (spare_.size() >= kSpareExchanges) return;
  try {
    spare_.push_back(std::move(exchange));
  } catch (const std::bad_alloc&) {
    // No room to keep it.
  }
}

}  // namespace squall::http
