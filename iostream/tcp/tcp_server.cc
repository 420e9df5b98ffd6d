#include <squall/iostream/tcp/tcp_server.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/coro/multi.h>
#include <squall/ioloop/coro/wait_ready.h>
#include <squall/ioloop/coro/with_timeout.h>
#include <squall/iostream/socket/socket.h>
#include <squall/iostream/tcp/acceptor.h>
#include <squall/iostream/tcp/proxy_reader.h>
#include <squall/iostream/tls/tls_stream.h>

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

namespace squall {
namespace {

// Descriptors that connections do not use.
constexpr rlim_t kReserve = 64;

std::size_t default_max_connections() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::numeric_limits<std::size_t>::max();
  return std::max<rlim_t>(limit.rlim_cur - std::min(kReserve, limit.rlim_cur / 8), 1);
}

Task<ProxyReader::Result> read_header(ProxyReader& reader, int fd) {
  for (;;) {
    const ProxyReader::Result result = reader.read(fd);
    if (result != ProxyReader::Result::wait) co_return result;
    co_await wait_readable(fd);
  }
}

}  // namespace

[[gnu::cold]] TCPServer::TCPServer(Options options, IOLoop& loop)
    : loop_(loop),
      options_(std::move(options)),
      max_connections_(options_.max_connections.value_or(default_max_connections())),
      spare_(open_spare()),
      connections_(loop) {
  if (max_connections_ == 0 || options_.max_connections_per_address == 0U)
    throw std::invalid_argument(
        "max_connections and max_connections_per_address of a TCPServer must not be 0");
  if (options_.proxy_protocol.timeout <= TimeSpan::zero())
    throw std::invalid_argument("the proxy_protocol.timeout of a TCPServer must be positive");
  if (options_.max_connections_per_address) per_address_.emplace();
}

[[gnu::cold]] TCPServer::~TCPServer() {
  stop();
  destroy_all_connections();
}

void TCPServer::destroy_all_connections() noexcept { connections_.destroy(); }

// ---- Listening.

void TCPServer::listen(std::uint16_t port, const ListenOptions& options) {
  add_sockets(bind_sockets(port, options));
}

void TCPServer::listen_unix(std::string_view name, const UnixListenOptions& options) {
  OwnedFd socket = bind_unix_socket(name, options);
  UnixSocketFile file(socket.get());
  std::vector<std::unique_ptr<Acceptor>> added;
  added.push_back(std::make_unique<Acceptor>(*this, std::move(socket), std::move(file)));
  add(std::move(added));
}

void TCPServer::add_socket(OwnedFd socket) {
  std::vector<OwnedFd> sockets;
  sockets.push_back(std::move(socket));
  add_sockets(std::move(sockets));
}

[[gnu::cold]] void TCPServer::add_sockets(std::vector<OwnedFd> sockets) {
  for (const OwnedFd& socket : sockets) check_listening(socket.get());
  std::vector<std::unique_ptr<Acceptor>> added;
  added.reserve(sockets.size());
  for (OwnedFd& socket : sockets) {
    set_nonblocking(socket.get());
    set_nodelay(socket.get());  // accepted connections inherit it
    added.push_back(std::make_unique<Acceptor>(*this, std::move(socket)));
  }
  add(std::move(added));
}

void TCPServer::add(std::vector<std::unique_ptr<Acceptor>> acceptors) {
  acceptors_.reserve(acceptors_.size() + acceptors.size());
  std::move(acceptors.begin(), acceptors.end(), std::back_inserter(acceptors_));
  draining_ = false;
  ++additions_;
  emptied_.notify_all();  // ends the drain() calls that wait
}

void TCPServer::use_tls(TLSContext context) {
  if (!context.is_server()) throw std::invalid_argument("a TCPServer needs a server's TLSContext");
  tls_ = std::move(context);
  accept_tls_ = &accept_tls;
}

void TCPServer::stop() noexcept { acceptors_.clear(); }

std::uint16_t TCPServer::port() const noexcept {
  for (const auto& acceptor : acceptors_)
    if (const std::uint16_t port = Address::local_of(acceptor->fd()).port()) return port;
  return 0;
}

void TCPServer::check_drain(const detail::PromiseBase& task) const {
  if (task.group() == &connections_)
    throw std::logic_error(
        "a connection awaits drain() of its own server, so of itself: give the task to spawn()");
}

Task<std::size_t> TCPServer::drain(Deadline deadline) {
  const detail::PromiseBase& self = co_await detail::ThisTask();
  check_drain(self);
  const std::uint16_t port = this->port();
  stop();
  draining_ = true;
  on_drain();
  bool in_time = true;
  const unsigned additions = additions_;
  while (count_ > 0 && in_time && additions == additions_) in_time = co_await emptied_.wait(deadline);
  // After add() the server listens again, and its connections continue.
  const std::size_t cut = additions == additions_ ? count_ : 0;
  if (cut == 0) co_return 0;
  log::general().info("Closing {} connections{} that did not end in time", cut,
                      port == 0 ? "" : fmt::format(" on port {}", port));
  Cut cutting(*this);
  co_await close_all_connections();
  cutting.unlink();
  co_return cut;
}

Task<std::size_t> TCPServer::drain_all(std::vector<std::reference_wrapper<TCPServer>> servers,
                                       Deadline deadline) {
  const detail::PromiseBase& self = co_await detail::ThisTask();
  for (const TCPServer& server : servers) server.check_drain(self);
  std::vector<Task<std::size_t>> drains;
  for (TCPServer& server : servers) drains.push_back(server.drain(deadline));
  const std::vector<std::size_t> cut = co_await multi(std::move(drains));
  co_return std::accumulate(cut.begin(), cut.end(), std::size_t{0});
}

ConnectionsClosed TCPServer::close_all_connections() {
  connections_.cancel();
  // The tasks are destroyed at the end of this turn, so before the next turn.
  return ConnectionsClosed(loop());
}

TCPServer::Cut::~Cut() {
  // Still linked: drain() was destroyed while it waited for the end of the connections.
  if (linked() && server_.count_ > 0)
    log::general().error(
        "A connection of a server awaited the server's drain(), and was closed: spawn the task instead");
}

// ---- Connections.

bool TCPServer::OnceASecond::due(IOLoop::TimePoint now) noexcept {
  if (now < next_) return false;
  next_ = now + std::chrono::seconds(1);
  return true;
}

void TCPServer::count_in(const Address& peer) {
  if (per_address_) per_address_->add(peer);
  ++count_;
}

void TCPServer::count_out(const Address& peer) noexcept {
  if (per_address_) per_address_->remove(peer);
  const bool was_full = count_-- == max_connections_;
  if (was_full)
    for (const auto& acceptor : acceptors_) acceptor->resume_if_full();
  if (count_ == 0) emptied_.notify_all();
}

void TCPServer::welcome(OwnedFd fd, const Address& peer) {
  const ProxyProtocolOptions& proxies = options_.proxy_protocol;
  if (proxies.is_on()) {
    if (proxies.trusts(peer)) {
      run(introduce(std::move(fd), peer));
      return;
    }
    if (proxies.others == ProxyProtocolOptions::Others::are_refused) {
      if (refused_.due(loop_->time()))
        log::general().warning("Connection from {} refused: not a trusted proxy", peer);
      return;
    }
  }
  if (admits(peer)) accepted(std::move(fd), peer);
}

bool TCPServer::admits(const Address& peer) {
  if (!per_address_ || per_address_->of(peer) < *options_.max_connections_per_address) return true;
  if (refused_.due(loop_->time()))
    log::general().warning("Connection from {} refused: its address has {} connections", peer,
                           per_address_->of(peer));
  return false;
}

// Reads the PROXY header of a connection. Until then the connection counts without an address.
Task<> TCPServer::introduce(OwnedFd fd, Address proxy) {
  const Counted counted(*this, Address());
  try {
    ProxyReader reader;
    const auto result = co_await with_timeout(options_.proxy_protocol.timeout, read_header(reader, fd.get()));
    if (result == ProxyReader::Result::complete) {
      const ProxyHeader& header = reader.header();
      if (admits(header.is_local ? Address() : header.source))
        accepted_from_proxy(std::move(fd), proxy, header);
    } else if (result == ProxyReader::Result::invalid) {
      log::general().warning("Connection from proxy {} refused: {}", proxy, reader.reason());
    }
  } catch (const TimeoutError&) {
    log::general().warning("Connection from proxy {} refused: the PROXY header did not come in time", proxy);
  } catch (...) {
    log::general().error("Cannot serve {}: {}", proxy, current_what());
  }
}

void TCPServer::accepted_from_proxy(OwnedFd fd, const Address& proxy, const ProxyHeader& header) {
  accepted(std::move(fd), header.is_local ? proxy : header.source);
}

void TCPServer::accepted(OwnedFd fd, const Address& peer) {
  run(supervise(IOStream(std::move(fd), options_.stream, IOStream::Known::nonblocking, *loop_), peer));
}

Task<> TCPServer::supervise(IOStream stream, Address peer) {
  const Counted counted(*this, peer);
  try {
    if (tls_) {
      const bool is_ready = co_await handshake(stream);
      if (!is_ready) co_return;
    }
    co_await handle_stream(std::move(stream), peer);
  } catch (const StreamClosedError&) {
    // This is the usual end of a connection.
  } catch (...) {
    log::application().error("Uncaught exception serving {}: {}", peer, current_what());
  }
}

}  // namespace squall
