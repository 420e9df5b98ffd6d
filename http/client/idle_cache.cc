#include <squall/http/client/idle_cache.h>

#include <squall/http/client/client_connection.h>

#include <poll.h>

#include <utility>

namespace squall::http {
namespace {

// A connection that was idle for less than this is not checked by a system call unless the caller asks: its
// watch has reported any bytes that arrived in earlier turns of the loop.
constexpr std::chrono::seconds kTrusted{1};

// Whether neither bytes nor their end have arrived.
bool is_quiet(int fd) noexcept {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 0;
}

Task<> watch(IOStream& stream) { co_await stream.read_some(std::nothrow); }

}  // namespace

void IdleCache::Place::begin_watch(IdleCache& cache) {
  cache_ = &cache;
  watch_ = watch(connection_.stream());
  watch_.start(*this, 0);
}

std::coroutine_handle<> IdleCache::Place::task_ended(std::size_t) noexcept {
  cache_->discard(*this);
  return std::noop_coroutine();
}

IdleCache::~IdleCache() {
  close_all();
  loop_->remove_timeout(timer_);
  free_discarded();
}

std::unique_ptr<ClientConnection> IdleCache::remove(Place& place) noexcept {
  place.ListNode<>::unlink();
  place.ListNode<OfHost>::unlink();
  --size_;
  return std::unique_ptr<ClientConnection>(&place.connection());
}

std::unique_ptr<ClientConnection> IdleCache::take(Host& host, Check check) {
  while (!host.idle.empty()) {
    Place& place = host.idle.back();
    std::unique_ptr<ClientConnection> connection = remove(place);
    place.end_watch();
    const IOLoop::Duration idle = loop_->time() - place.idle_since;
    const bool is_fresh = !limits_.idle_timeout || idle < *limits_.idle_timeout;
    const bool is_trusted = check == Check::if_idle_long && idle < kTrusted;
    if (is_fresh && (is_trusted || is_quiet(connection->stream().fd()))) return connection;
  }
  return nullptr;
}

void IdleCache::keep(Host& host, std::unique_ptr<ClientConnection> connection) {
  if (limits_.max_idle == 0) return;
  while (size_ >= limits_.max_idle) remove(idle_.front());
  Place& place = connection.release()->idle_place();
  place.idle_since = loop_->time();
  host.idle.push_back(place);
  idle_.push_back(place);
  ++size_;
  place.begin_watch(*this);
  if (!timer_ && !idle_.empty()) set_timer();
}

// Called from within the watch of the connection, which must not be destroyed before the turn ends.
void IdleCache::discard(Place& place) noexcept {
  discarded_.push_back(remove(place).release()->idle_place());
  if (free_discarded_.linked()) return;
  free_discarded_.set([](void* self) { static_cast<IdleCache*>(self)->free_discarded(); }, this);
  loop_->at_turn_end(free_discarded_);
}

void IdleCache::free_discarded() noexcept {
  while (!discarded_.empty())
    const std::unique_ptr<ClientConnection> gone(&discarded_.pop_front().connection());
}

void IdleCache::close_all() noexcept {
  while (!idle_.empty()) remove(idle_.front());
}

void IdleCache::set_timer() {
  const IOLoop::TimePoint since = idle_.front().idle_since;
  if (!limits_.idle_timeout) return;
  timer_ = loop_->call_at(saturating_add(since, *limits_.idle_timeout), [this] { expire(); });
}

void IdleCache::expire() {
  timer_ = {};
  while (!idle_.empty() && loop_->time() - idle_.front().idle_since >= *limits_.idle_timeout)
    remove(idle_.front());
  if (!idle_.empty()) set_timer();
}

}  // namespace squall::http
