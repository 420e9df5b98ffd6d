#include <squall/http/client/fetch_attempt.h>

#include <squall/http/client/dialer.h>
#include <squall/ioloop/base/log.h>

#include <string>
#include <string_view>

namespace squall::http {
namespace {

Task<> give_piece(FetchGuards& guards, const Fetch& fetch, const ClientConnection& connection) {
  const FetchGuards::Call calling(guards);
  return fetch.request().streaming_callback(connection.piece());
}

}  // namespace

FetchAttempt::Outcome FetchAttempt::await_resume() {
  switch (guard_.finish()) {
    case FetchGuard::State::timed_out: return Outcome::timed_out;
    case FetchGuard::State::closed: return Outcome::closed;
    default: return outcome_;
  }
}

Task<> FetchAttempt::run() {
  // The slot is a local of this coroutine, as the queue may be destroyed while a closed attempt still exists.
  AdmissionQueue::Slot slot = std::move(slot_);
  std::unique_ptr<ClientConnection> connection;
  if (!slot) {
    const bool must_wait = !core_.queue.has_slot(host_.slots);
    if (must_wait) prepare_to_wait();
    AdmissionQueue::Slot granted = co_await core_.queue.slot(host_.slots);
    slot = std::move(granted);
    fetch_.begin_request(must_wait ? core_.loop->now() : fetch_.queued_at());
    if (!fetch_.expects_upgrade()) connection = take_idle();
  }
  if (!connection) {
    guard_.set_deadline(fetch_.connect_deadline(core_.loop->now()));
    std::unique_ptr<ClientConnection> made = co_await connect();
    connection = std::move(made);
  }
  guard_.set_deadline(fetch_.request_deadline());
  ClientConnection::Options options;
  options.max_header_size = core_.options.max_header_size;
  options.keep_alive = core_.options.keep_alive;
  connection->begin(fetch_, options);
  auto next = ClientConnection::Next::read;
  for (;;) {
    if (next == ClientConnection::Next::read) {
      const std::string_view bytes = co_await connection->stream().read_some(std::nothrow);
      const FetchGuards::Call calling(core_.guards);  // of the header_callback
      next = connection->receive(bytes);
    } else if (next == ClientConnection::Next::piece) {
      Task<> taking = give_piece(core_.guards, fetch_, *connection);
      if (taking) co_await std::move(taking);
      next = connection->go_on();
    } else {
      break;
    }
  }
  end(next, std::move(connection));
  if (outcome_ == Outcome::stale) slot_ = std::move(slot);
}

// The server may have closed the connection right behind its previous response. A request that may be
// repeated saves the system call: it is sent again if the connection is closed.
std::unique_ptr<ClientConnection> FetchAttempt::take_idle() {
  const bool may_repeat = fetch_.may_retry(Fetch::Sent::something);
  return core_.idle.take(host_.connections,
                         may_repeat ? IdleCache::Check::if_idle_long : IdleCache::Check::always);
}

void FetchAttempt::prepare_to_wait() {
  if (core_.queue.waiting() >= core_.options.max_queue)
    throw HTTPClientError("Too many requests wait", fetch_.failure());
  log::general().debug("max_clients limit reached, request queued. {} active, {} queued requests.",
                       core_.queue.active(), core_.queue.waiting() + 1);
  guard_.set_deadline(fetch_.queue_deadline());
}

Task<std::unique_ptr<ClientConnection>> FetchAttempt::connect() {
  return core_.options.connector ? call_connector() : dial();
}

Task<std::unique_ptr<ClientConnection>> FetchAttempt::call_connector() {
  fetch_.enter(FetchPhase::connect);
  const IOLoop::TimePoint begun = core_.loop->time();
  IOStream stream = co_await core_.options.connector(fetch_.url());
  fetch_.data().times.connect = core_.loop->time() - begun;
  co_return std::make_unique<ClientConnection>(std::move(stream), Via::direct, std::string(), fetch_.tls());
}

Task<std::unique_ptr<ClientConnection>> FetchAttempt::dial() {
  const bool is_https = fetch_.url().is_https();
  const ProxyOptions* const proxy = route_.proxy();
  const bool forwards = proxy && !is_https && !fetch_.expects_upgrade();
  DialOptions options;
  if (proxy) options.proxy = *proxy;
  if (forwards) options.plain_proxy = DialOptions::PlainProxy::forward;
  options.unix_socket = fetch_.option(&FetchOptions::unix_socket);
  if (const auto& from = fetch_.option(&FetchOptions::network_interface))
    (is_valid_ip(*from) ? options.source_ip : options.source_interface) = from;
  options.allow_ipv6 = fetch_.flag(&FetchOptions::allow_ipv6, true);
  if (is_https) options.tls = core_.tls.context_for(fetch_);
  options.timeout = std::nullopt;  // the guard applies the deadline
  options.max_header_size = core_.options.max_header_size;
  options.resolver = &core_.resolver;
  options.stream.receive_before_reset = true;
  DialTarget target(fetch_.url());
  Dialer dialer(std::move(target), std::move(options));
  dialer.set_phase_callback([this](FetchPhase phase) { fetch_.enter(phase); });
  IOStream stream = co_await dialer.dial();
  FetchTimes& times = fetch_.data().times;
  times.resolve = dialer.times().resolve;
  times.connect = dialer.times().connect;
  times.tls = dialer.times().tls;
  std::string authorization = forwards ? proxy_authorization(*proxy) : std::string();
  co_return std::make_unique<ClientConnection>(std::move(stream), forwards ? Via::proxy : Via::direct,
                                               std::move(authorization), fetch_.tls());
}

void FetchAttempt::end(ClientConnection::Next next, std::unique_ptr<ClientConnection> connection) {
  if (next == ClientConnection::Next::stale) {
    outcome_ = Outcome::stale;
    return;
  }
  if (next == ClientConnection::Next::upgraded) {
    outcome_ = Outcome::upgraded;
    fetch_.hand_over(connection->take_stream());
  } else if (!core_.is_closed && connection->is_reusable()) {
    core_.idle.keep(host_.connections, std::move(connection));
  }
  fetch_.end_request(core_.loop->time());
}

}  // namespace squall::http
