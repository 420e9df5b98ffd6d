#include <squall/http/server/connection_table.h>

#include <algorithm>
#include <utility>

namespace squall::http {
namespace {

using std::chrono::nanoseconds;

// Longer timeouts are cut to this: they never fire in practice, and adding them to a time would overflow.
constexpr nanoseconds kLongest = std::chrono::hours(24 * 365 * 100);

// How often streams are asked for unsent bytes. A timeout may fire up to two look intervals late.
nanoseconds look_interval(nanoseconds timeout) noexcept {
  return std::max(timeout / 50, std::min<nanoseconds>(timeout / 8, std::chrono::milliseconds(100)));
}

}  // namespace

[[gnu::cold]] ConnectionTable::ConnectionTable(IOLoop& loop, const Timeouts& timeouts) noexcept
    : loop_(loop), write_timeout_(timeouts.write) {
  const auto set = [this](Wait wait, Duration timeout) {
    queue_of(wait).timeout = std::min(timeout, kLongest);
  };
  set(Wait::request, timeouts.idle);
  set(Wait::head, timeouts.head);
  set(Wait::body, timeouts.body);
  set(Wait::linger, timeouts.linger);
  set(Wait::handler, kLongest);
  set(Wait::close, kLongest);
  held_.timeout = kLongest;
  parked_.timeout = queue_of(Wait::request).timeout;
  senders_.look_interval = std::min(look_interval(timeouts.write), look_interval(timeouts.idle));
  lingering_senders_.look_interval = std::min(look_interval(timeouts.write), look_interval(timeouts.linger));
  settling_.timeout = senders_.look_interval;
}

[[gnu::cold]] ConnectionTable::~ConnectionTable() {
  close_parked();
  loop_->remove_timeout(timer_);
}

// ---- Connections.

// Only the first timer needs memory: replacing a timer reuses the memory of the last one.
void ConnectionTable::prepare() {
  if (timer_ || armed_for_ == IOLoop::TimePoint::min()) return;
  const IOLoop::TimePoint when = loop_->deadline_after(settling_.timeout);
  timer_ = loop_->call_at(when, [this] { run(); });
  armed_for_ = when;
}

void ConnectionTable::add(Active& connection) {
  prepare();
  ++active_;
  wait_for_request(connection);
}

void ConnectionTable::remove(Active& connection) noexcept {
  static_cast<ListNode<WaitTag>&>(connection).unlink();
  static_cast<ListNode<SendTag>&>(connection).unlink();
  --active_;
}

void ConnectionTable::park(std::unique_ptr<Parked> connection) {
  prepare();
  connection->since_ = loop_->time();
  parked_.list.push_back(*connection.release());
}

// The wait of `active` began at most a look interval ago, so the list is in order except for that difference.
void ConnectionTable::park(std::unique_ptr<Parked> connection, const Active& active) noexcept {
  connection->since_ = active.since_;
  parked_.list.push_back(*connection.release());
}

void ConnectionTable::close_parked() noexcept {
  while (!parked_.list.empty()) take(parked_.list.front());
}

std::unique_ptr<ConnectionTable::Parked> ConnectionTable::take(Parked& connection) noexcept {
  connection.unlink();
  return std::unique_ptr<Parked>(&connection);
}

// ---- Waits.

void ConnectionTable::wait(Active& connection, Wait wait) noexcept {
  connection.wait_ = wait;
  if (wait == Wait::request) return begin_wait(connection, settling_);
  const bool is_sending = wait == Wait::handler || connection.unsent_bytes() > 0;
  if (wait == Wait::linger && is_sending) {
    hold(connection);
    return begin_look(connection);
  }
  begin_wait(connection, queue_of(wait));
  if (is_sending) watch_sending(connection);
}

// The wait has no deadline until the bytes are sent.
void ConnectionTable::hold(Active& connection) noexcept { begin_wait(connection, held_); }

// ---- Unsent bytes.

void ConnectionTable::watch_sending(Active& connection) noexcept {
  if (!static_cast<ListNode<SendTag>&>(connection).linked()) begin_look(connection);
}

void ConnectionTable::begin_look(Active& connection) noexcept {
  auto& node = static_cast<ListNode<SendTag>&>(connection);
  const IOLoop::TimePoint now = loop_->time();
  if (!node.linked()) {
    connection.sent_ = connection.sent_bytes();
    connection.is_unsent_ = connection.unsent_bytes() > 0;
    connection.moved_ = now;
  }
  node.unlink();
  Senders& senders = connection.wait_ == Wait::linger ? lingering_senders_ : senders_;
  senders.list.push_back(connection);
  connection.looked_at_ = now;
  if (now + senders.look_interval < armed_for_) arm(now + senders.look_interval);
}

void ConnectionTable::look(Active& connection) noexcept {
  const std::uint64_t sent = connection.sent_bytes();
  const bool is_unsent = connection.unsent_bytes() > 0;
  if (!is_unsent && connection.wait_ != Wait::handler) return stop_sending(connection);
  // Bytes written since the last look have waited for less than a look interval.
  const bool was_unsent = std::exchange(connection.is_unsent_, is_unsent);
  if (!is_unsent || !was_unsent || sent != connection.sent_) {
    connection.sent_ = sent;
    connection.moved_ = loop_->time();
  }
  begin_look(connection);
  if (loop_->time() - connection.moved_ >= write_timeout_) {
    static_cast<ListNode<SendTag>&>(connection).unlink();
    connection.write_timed_out();
  }
}

// All bytes are sent: the timeout of the wait begins if it was held until now.
void ConnectionTable::stop_sending(Active& connection) noexcept {
  static_cast<ListNode<SendTag>&>(connection).unlink();
  if (connection.wait_ == Wait::request) begin_wait(connection, settling_);
  if (connection.wait_ == Wait::linger) begin_wait(connection, queue_of(Wait::linger));
}

// Called a look interval after the connection began to wait for a request.
void ConnectionTable::settle(Active& connection) noexcept {
  if (connection.unsent_bytes() > 0) {
    hold(connection);
    return watch_sending(connection);
  }
  const IOLoop::TimePoint since = connection.since_;
  begin_wait(connection, queue_of(Wait::request));
  connection.since_ = since;  // the list stays in the order of these times
  connection.settled();
}

// ---- The timer.

// Replacing a timer reuses the memory of the last one, so call_at() does not fail. If it does, the next
// wait tries again.
void ConnectionTable::arm(IOLoop::TimePoint when) noexcept {
  loop_->remove_timeout(std::exchange(timer_, {}));
  armed_for_ = IOLoop::TimePoint::max();
  if (when == IOLoop::TimePoint::max()) return;
  try {
    timer_ = loop_->call_at(when, [this] { run(); });
    armed_for_ = when;
  } catch (const std::bad_alloc&) {
  }
}

void ConnectionTable::run() noexcept {
  timer_ = {};
  // Waits that begin during expire() do not arm the timer; it is armed once, below.
  armed_for_ = IOLoop::TimePoint::min();
  const int left = expire(kBatch);
  const IOLoop::TimePoint now = loop_->time();
  arm(left > 0 ? std::max(earliest(), now + kPause) : now);
}

// Handles up to `budget` connections that are due. Returns the budget that is left.
int ConnectionTable::expire(int budget) noexcept {
  const IOLoop::TimePoint now = loop_->time();
  for (Senders* senders : {&senders_, &lingering_senders_})
    while (budget > 0 && !senders->list.empty() &&
           senders->list.front().looked_at_ + senders->look_interval <= now) {
      look(senders->list.front());
      --budget;
    }
  while (budget > 0 && !settling_.list.empty() && settling_.list.front().since_ + settling_.timeout <= now) {
    settle(settling_.list.front());
    --budget;
  }
  for (const Wait wait : {Wait::request, Wait::head, Wait::body, Wait::linger}) {
    Queue<Active>& queue = queue_of(wait);
    while (budget > 0 && !queue.list.empty() && queue.list.front().since_ + queue.timeout <= now) {
      Active& connection = queue.list.front();
      hold(connection);
      connection.timed_out(wait);
      --budget;
    }
  }
  while (budget > 0 && !parked_.list.empty() && parked_.list.front().since_ + parked_.timeout <= now) {
    take(parked_.list.front());
    --budget;
  }
  return budget;
}

IOLoop::TimePoint ConnectionTable::earliest() const noexcept {
  auto first = IOLoop::TimePoint::max();
  const auto consider = [&first](const auto& queue) {
    if (!queue.list.empty()) first = std::min(first, queue.list.front().since_ + queue.timeout);
  };
  consider(settling_);
  consider(parked_);
  for (const Queue<Active>& queue : waiting_) consider(queue);
  for (const Senders* senders : {&senders_, &lingering_senders_})
    if (!senders->list.empty())
      first = std::min(first, senders->list.front().looked_at_ + senders->look_interval);
  return first;
}

}  // namespace squall::http
