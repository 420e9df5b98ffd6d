#include <squall/http/client/simple_http_client.h>

#include <squall/http/client/client_dialer.h>
#include <squall/http/client/mapped_host.h>
#include <squall/http/client/proxy_environment.h>
#include <squall/ioloop/base/log.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <utility>

namespace squall::http {
namespace {

ConnectionPool::Limits limits_of(const AsyncHTTPClient::Options& options) {
  ConnectionPool::Limits limits;
  limits.max_clients = std::max<std::size_t>(options.max_clients, 1);
  limits.max_clients_per_host = options.max_clients_per_host;
  limits.max_idle = options.keep_alive ? options.max_idle_connections : 0;
  limits.idle_timeout = options.idle_timeout;
  return limits;
}

// The sooner of two that may not be there.
std::optional<Fetch::Duration> sooner(std::optional<Fetch::Duration> a, std::optional<Fetch::Duration> b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

IOLoop::TimePoint after(IOLoop::TimePoint begin, std::optional<Fetch::Duration> timeout) noexcept {
  if (!timeout || *timeout > IOLoop::TimePoint::max() - begin) return IOLoop::TimePoint::max();
  return begin + *timeout;
}

[[noreturn]] void refuse_digest(const Fetch& fetch) {
  constexpr const char* kText = "unsupported auth_mode digest";
  if (fetch.redirects() == 0) throw std::invalid_argument(kText);
  // It is the server that has given us a user's name.
  HTTPClientError::Failure failure;
  failure.phase = FetchPhase::redirect;
  failure.peer = fetch.peer();
  throw HTTPClientError(kText, std::move(failure));
}

}  // namespace

// A request of a fetch that is at work.
struct SimpleAsyncHTTPClient::Job {
  explicit Job(Fetch& fetch) noexcept : fetch(fetch) {}

  Fetch& fetch;
  FetchGuard* guard = nullptr;
  const ProxyOptions* proxy = nullptr;
  std::optional<ProxyOptions> environment;  // proxy, if it is from there
};

SimpleAsyncHTTPClient::SimpleAsyncHTTPClient(IOLoop& loop, Options options)
    : AsyncHTTPClient(loop, std::move(options)),
      resolver_(this->options().resolver ? *this->options().resolver : default_resolver()),
      pool_(loop, limits_of(this->options())),
      guards_(loop) {
  for (const auto& [from, to] : this->options().hostname_mapping) {
    const MappedHost mapped(from);
    if (mapped.port) {
      resolver_.map(mapped.name, *mapped.port, to, *mapped.port);
    } else {
      resolver_.map(mapped.name, to);
    }
  }
  connection_options_.max_header_size = this->options().max_header_size;
  connection_options_.keep_alive = this->options().keep_alive;
}

SimpleAsyncHTTPClient::~SimpleAsyncHTTPClient() { guards_.close_all(); }

void SimpleAsyncHTTPClient::close() {
  AsyncHTTPClient::close();
  pool_.close_idle();
  if (close_all_.linked()) return;
  // Not now, as it may be a fetch's callback that asks for it.
  close_all_.set([](void* self) { static_cast<SimpleAsyncHTTPClient*>(self)->guards_.close_all(); }, this);
  loop().at_turn_end(close_all_);
}

Task<> SimpleAsyncHTTPClient::perform(Fetch& fetch) {
  if (!fetch.username().empty() && fetch.authorization().empty()) refuse_digest(fetch);
  Job job(fetch);
  const FetchGuard::Outcome outcome = co_await FetchGuard(guards_, work(job), job.guard);
  if (outcome == FetchGuard::Outcome::ended) co_return;
  // The client may be gone.
  HTTPClientError::Failure failure;
  failure.phase = fetch.phase();
  failure.peer = fetch.peer();
  if (outcome == FetchGuard::Outcome::closed)
    throw HTTPClientClosedError("The client was closed", std::move(failure));
  failure.error = std::make_error_code(std::errc::timed_out);
  switch (fetch.phase()) {
    case FetchPhase::queue: throw HTTPTimeoutError("Timeout in request queue", std::move(failure));
    case FetchPhase::resolve:
    case FetchPhase::connect:
    case FetchPhase::proxy:
    case FetchPhase::tls: throw HTTPTimeoutError("Timeout while connecting", std::move(failure));
    default: throw HTTPTimeoutError("Timeout during request", std::move(failure));
  }
}

void SimpleAsyncHTTPClient::choose_proxy(Job& job) const {
  if (job.fetch.text(&FetchOptions::unix_socket)) return;
  const std::optional<ProxyOptions>& given = job.fetch.option(&FetchOptions::proxy);
  if (given) {
    if (!given->host.empty()) job.proxy = &*given;
  } else if (job.fetch.flag(&FetchOptions::proxy_from_environment, false)) {
    job.environment =
        proxy_of_environment(job.fetch.url(), [](const char* name) { return std::getenv(name); });
    if (job.environment) job.proxy = &*job.environment;
  }
  if (job.proxy && job.proxy->auth_mode == AuthMode::digest && !job.proxy->username.empty())
    throw std::invalid_argument("unsupported auth_mode digest of a proxy");
}

// Requests of the same key can share connections.
ConnectionPool::Host& SimpleAsyncHTTPClient::host_of(const Job& job) {
  const URL& url = job.fetch.url();
  key_.assign(url.scheme()).append("://").append(url.authority());
  // A blank is in no URL.
  if (job.proxy) {
    const ProxyOptions& proxy = *job.proxy;
    fmt::format_to(std::back_inserter(key_), " proxy {}:{} {}:{}", proxy.host, proxy.port, proxy.username,
                   proxy.password);
  }
  if (const std::string* path = job.fetch.text(&FetchOptions::unix_socket))
    key_.append(" unix ").append(*path);
  if (const std::string* from = job.fetch.text(&FetchOptions::network_interface))
    key_.append(" from ").append(*from);
  if (!job.fetch.flag(&FetchOptions::allow_ipv6, true)) key_.append(" 4");
  if (url.is_https()) ClientTLS::append_key(key_, job.fetch);
  return pool_.host(key_);
}

// There is no turn for it at once.
void SimpleAsyncHTTPClient::check_queue(const Job& job) const {
  if (pool_.waiting() >= options().max_queue) {
    HTTPClientError::Failure failure;
    failure.phase = FetchPhase::queue;
    failure.peer = job.fetch.peer();
    throw HTTPClientError("Too many requests wait", std::move(failure));
  }
  log::general().debug("max_clients limit reached, request queued. {} active, {} queued requests.",
                       pool_.active(), pool_.waiting() + 1);
}

Task<> SimpleAsyncHTTPClient::work(Job& job) {
  Fetch& fetch = job.fetch;
  HTTPResponse::Data& data = *fetch.response().data_;
  const std::optional<Fetch::Duration> request_timeout = fetch.request_timeout();
  const std::optional<Fetch::Duration> connect_timeout = sooner(fetch.connect_timeout(), request_timeout);

  fetch.enter(FetchPhase::queue);
  const IOLoop::TimePoint queued = loop().time();
  choose_proxy(job);
  ConnectionPool::Host& host = host_of(job);
  if (!pool_.has_turn(host)) {
    check_queue(job);
    job.guard->set_deadline(after(queued, connect_timeout));
  }
  const ConnectionPool::Turn turn = co_await pool_.turn(host);
  const IOLoop::TimePoint started = loop().time();
  data.start_time = std::chrono::system_clock::now();
  data.times.queue += started - queued;
  data.times.resolve = data.times.connect = data.times.tls = data.times.first_byte = {};

  auto next = ClientConnection::Next::stale;
  bool is_first = true;
  while (next == ClientConnection::Next::stale) {
    std::unique_ptr<ClientConnection> connection;
    if (std::exchange(is_first, false)) connection = pool_.take(host);
    const bool is_reused = connection != nullptr;
    if (!connection) {
      // The second time some of the request's is spent.
      job.guard->set_deadline(
          std::min(after(loop().time(), connect_timeout), after(started, request_timeout)));
      ClientDialer dialer(fetch, job.proxy, resolver_, tls_, connection_options_.max_header_size);
      connection = co_await dialer.dial();
    }
    job.guard->set_deadline(after(started, request_timeout));
    connection->begin(fetch, connection_options_, is_reused);
    do {
      const std::string_view bytes = co_await connection->stream().read_some(std::nothrow);
      next = connection->receive(bytes);
    } while (next == ClientConnection::Next::read);
    if (next == ClientConnection::Next::stream) co_await connection->receive_slowly();
    if (next != ClientConnection::Next::stale && !closed() && connection->is_reusable())
      pool_.keep(host, std::move(connection));
  }
  data.request_time = loop().time() - started;
}

}  // namespace squall::http
