#include <squall/http/http_server.h>

#include <squall/http/server_connection.h>

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
  if (shortest <= 0ns) throw std::invalid_argument("an HTTPServer's timeouts must be positive");
  return std::clamp<std::chrono::nanoseconds>(shortest / 4, 10ms, 5s) / kParts;
}

}  // namespace

HTTPServer::HTTPServer(IOLoop& loop, ServerDelegate& delegate, Options options)
    : TCPServer(loop, options.stream), delegate_(delegate), options_(options), default_headers_(delegate), tick_(tick_for(options)) {
  limits_.max_header_size = options_.max_header_size;
}

HTTPServer::~HTTPServer() {
  destroy_all_connections();
  loop().remove_timeout(sweep_);
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

void HTTPServer::add(ServerConnection& connection) {
  connection.next_ = first_;
  if (first_) first_->previous_ = &connection;
  first_ = &connection;
  if (count_++ == 0) sweep_later();
}

void HTTPServer::remove(ServerConnection& connection) noexcept {
  if (visit_next_ == &connection) visit_next_ = connection.next_;
  (connection.previous_ ? connection.previous_->next_ : first_) = connection.next_;
  if (connection.next_) connection.next_->previous_ = connection.previous_;
  if (--count_ == 0) loop().remove_timeout(sweep_);
}

void HTTPServer::sweep_later() {
  sweep_ = loop().call_later(tick_, [this] { sweep(); });
}

void HTTPServer::sweep() {
  for (std::size_t left = count_ / kParts + 1; left > 0; --left) {
    if (!visit_next_) visit_next_ = first_;
    ServerConnection* const connection = visit_next_;
    visit_next_ = connection->next_;
    connection->visit();
  }
  sweep_later();
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
