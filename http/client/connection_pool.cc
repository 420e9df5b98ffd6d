#include <squall/http/client/connection_pool.h>

#include <squall/http/client/client_connection.h>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace squall::http {
namespace {

// So long a connection is believed to be as it was left, as its watch would have said more.
constexpr std::chrono::seconds kTrusted{1};

// Neither bytes nor an end have come.
bool is_quiet(int fd) noexcept {
  pollfd asked{fd, POLLIN, 0};
  return ::poll(&asked, 1, 0) == 0;
}

}  // namespace

ConnectionPool::~ConnectionPool() {
  close_idle();
  loop_.remove_timeout(timer_);
  while (discarded_) {
    const std::unique_ptr<ClientConnection> gone(discarded_);
    discarded_ = gone->next_;
  }
}

// ---- Turns.

ConnectionPool::Host& ConnectionPool::host(std::string_view key) {
  const auto found = hosts_.find(key);
  if (found != hosts_.end()) return found->second;
  const auto added = hosts_.try_emplace(std::string(key)).first;
  added->second.key = added->first;
  return added->second;
}

void ConnectionPool::forget_if_unused(Host& host) noexcept {
  if (host.active > 0 || host.first_waiting || !host.idle.empty()) return;
  const auto found = hosts_.find(host.key);
  if (found != hosts_.end()) hosts_.erase(found);
}

void ConnectionPool::end(Host& host) noexcept {
  --active_;
  --host.active;
  if (waiting_ > 0) {
    if (host.first_waiting && !host.is_ready) place(host);
    give_turns();
  }
  forget_if_unused(host);
}

// To whoever has waited longest among those whose server may have another request.
void ConnectionPool::give_turns() noexcept {
  while (first_ready_ && active_ < limits_.max_clients) {
    Host& host = *first_ready_;
    TurnAwaiter& here = *host.first_waiting;
    start(host);
    remove_waiting(here);
    here.given_ = true;
    loop_.call_soon(here.resume_);
  }
}

void ConnectionPool::remove_waiting(TurnAwaiter& waiter) noexcept {
  Host& host = waiter.host_;
  const bool was_first = host.first_waiting == &waiter;
  waiter.waiting_ = false;
  (waiter.previous_ ? waiter.previous_->next_ : host.first_waiting) = waiter.next_;
  (waiter.next_ ? waiter.next_->previous_ : host.last_waiting) = waiter.previous_;
  --waiting_;
  if (was_first) place(host);
}

// Puts the host where it belongs among those that are ready, if it does. Who waits there next has come late,
// mostly: so from the end.
void ConnectionPool::place(Host& host) noexcept {
  if (std::exchange(host.is_ready, false)) {
    (host.previous_ready ? host.previous_ready->next_ready : first_ready_) = host.next_ready;
    (host.next_ready ? host.next_ready->previous_ready : last_ready_) = host.previous_ready;
  }
  if (!host.first_waiting || !has_room(host)) return;
  Host* before = last_ready_;
  while (before && before->first_waiting->number_ > host.first_waiting->number_)
    before = before->previous_ready;
  host.is_ready = true;
  host.previous_ready = before;
  host.next_ready = before ? before->next_ready : first_ready_;
  (before ? before->next_ready : first_ready_) = &host;
  (host.next_ready ? host.next_ready->previous_ready : last_ready_) = &host;
}

ConnectionPool::TurnAwaiter::~TurnAwaiter() {
  if (given_) {
    pool_.end(host_);
  } else if (waiting_) {
    pool_.remove_waiting(*this);
    pool_.forget_if_unused(host_);
  }
}

bool ConnectionPool::TurnAwaiter::await_ready() noexcept {
  // Whoever waits although there is a turn left waits for another server.
  if (!pool_.may_start(host_)) return false;
  pool_.start(host_);
  given_ = true;
  return true;
}

void ConnectionPool::TurnAwaiter::await_suspend(std::coroutine_handle<> coroutine) noexcept {
  resume_.set(coroutine);
  waiting_ = true;
  number_ = pool_.came_++;
  previous_ = host_.last_waiting;
  (previous_ ? previous_->next_ : host_.first_waiting) = this;
  host_.last_waiting = this;
  ++pool_.waiting_;
  if (!previous_) pool_.place(host_);
}

// ---- Connections.

std::unique_ptr<ClientConnection> ConnectionPool::unlink(ClientConnection& connection) noexcept {
  (connection.previous_ ? connection.previous_->next_ : oldest_) = connection.next_;
  (connection.next_ ? connection.next_->previous_ : newest_) = connection.previous_;
  connection.previous_ = connection.next_ = nullptr;
  --idle_;
  Host& host = *std::exchange(connection.host_, nullptr);
  const auto found = std::find(host.idle.rbegin(), host.idle.rend(), &connection);
  host.idle.erase(std::next(found).base());
  return std::unique_ptr<ClientConnection>(&connection);
}

std::unique_ptr<ClientConnection> ConnectionPool::take(Host& host) {
  while (!host.idle.empty()) {
    std::unique_ptr<ClientConnection> connection = unlink(*host.idle.back());
    connection->end_idle();
    const IOLoop::Duration idle = loop_.time() - connection->idle_since();
    if (idle < limits_.idle_timeout && (idle < kTrusted || is_quiet(connection->stream().fd())))
      return connection;
  }
  return nullptr;
}

void ConnectionPool::keep(Host& host, std::unique_ptr<ClientConnection> connection) {
  if (limits_.max_idle == 0) return;
  while (idle_ >= limits_.max_idle) {
    Host& of_oldest = *oldest_->host_;
    unlink(*oldest_);
    if (&of_oldest != &host) forget_if_unused(of_oldest);
  }
  host.idle.push_back(connection.get());
  ClientConnection& kept = *connection.release();
  kept.host_ = &host;
  kept.previous_ = newest_;
  (newest_ ? newest_->next_ : oldest_) = &kept;
  newest_ = &kept;
  ++idle_;
  kept.begin_idle(*this);
  if (!timer_ && idle_ > 0) expire_later();
}

void ConnectionPool::discard(ClientConnection& connection) noexcept {
  Host& host = *connection.host_;
  ClientConnection* const gone = unlink(connection).release();
  gone->next_ = std::exchange(discarded_, gone);
  forget_if_unused(host);
  if (clean_up_.linked()) return;
  clean_up_.set(
      [](void* self) {
        auto& pool = *static_cast<ConnectionPool*>(self);
        while (pool.discarded_) {
          const std::unique_ptr<ClientConnection> connection(pool.discarded_);
          pool.discarded_ = connection->next_;
        }
      },
      this);
  loop_.at_turn_end(clean_up_);
}

void ConnectionPool::close_idle() noexcept {
  while (oldest_) {
    Host& host = *oldest_->host_;
    unlink(*oldest_);
    forget_if_unused(host);
  }
}

void ConnectionPool::expire_later() {
  if (limits_.idle_timeout > IOLoop::TimePoint::max() - oldest_->idle_since()) return;
  timer_ = loop_.call_at(oldest_->idle_since() + limits_.idle_timeout, [this] { expire(); });
}

void ConnectionPool::expire() {
  timer_ = {};
  while (oldest_ && loop_.time() - oldest_->idle_since() >= limits_.idle_timeout) {
    Host& host = *oldest_->host_;
    unlink(*oldest_);
    forget_if_unused(host);
  }
  if (oldest_) expire_later();
}

}  // namespace squall::http
