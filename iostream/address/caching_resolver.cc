#include <squall/iostream/address/caching_resolver.h>

#include <squall/ioloop/sync/event.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

namespace squall {

// One query and its outcome.
struct CachingResolver::Query {
  Event done;
  Answer answer;
  std::exception_ptr error;
  std::optional<IOLoop::TimePoint> expires;  // nullopt while the lookup is under way

  // The time to keep the outcome; nullopt if the outcome is not cached.
  std::optional<IOLoop::Duration> ttl(const Options& options) const;
};

std::optional<IOLoop::Duration> CachingResolver::Query::ttl(const Options& options) const {
  if (!error && !answer.addresses.empty())
    return std::clamp<IOLoop::Duration>(answer.ttl ? TimeSpan(*answer.ttl) : options.default_ttl,
                                        options.min_ttl, options.max_ttl);
  bool is_definite = !error;
  try {
    if (error) std::rethrow_exception(error);
  } catch (const ResolveError& none) {
    is_definite = none.is_definite();
  } catch (...) {
  }
  return is_definite ? options.negative_ttl : std::nullopt;
}

CachingResolver::CachingResolver(Resolver& inner, Options options, IOLoop& loop)
    : inner_(inner), loop_(loop), options_(options), queries_(loop) {
  if (options_.min_ttl > options_.max_ttl) throw std::invalid_argument("min_ttl is above max_ttl");
}

CachingResolver::~CachingResolver() = default;

Task<Resolver::Answer> CachingResolver::look_up(std::string host, std::uint16_t port, int family) {
  if (numeric_answer(host, port, family)) {
    Answer numeric = co_await inner_.look_up(host, port, family);
    co_return std::move(numeric);
  }
  const Key key(std::move(host), port, family);
  std::shared_ptr<Query> query = find(key);
  if (!query) query = begin(key);
  co_await query->done.wait();
  if (query->error) std::rethrow_exception(query->error);
  Answer answer = query->answer;
  // The rest of the TTL; 0 if the answer expired before this task was resumed.
  const auto left =
      std::chrono::floor<std::chrono::seconds>(saturating_subtract(*query->expires, loop_->time()));
  if (answer.ttl) answer.ttl = std::max(left, std::chrono::seconds(0));
  co_return std::move(answer);
}

// The query of the key if it is under way or has not expired, otherwise null.
std::shared_ptr<CachingResolver::Query> CachingResolver::find(const Key& key) {
  const auto place = places_.find(key);
  if (place == places_.end()) return nullptr;
  const Entries::iterator entry = place->second;
  std::shared_ptr<Query> query = entry->query;
  if (query->expires && loop_->time() >= *query->expires) {
    erase(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return query;
}

std::shared_ptr<CachingResolver::Query> CachingResolver::begin(const Key& key) {
  auto query = std::make_shared<Query>();
  entries_.push_front({key, query});
  try {
    places_.emplace(key, entries_.begin());
  } catch (...) {
    entries_.pop_front();
    throw;
  }
  try {
    queries_.add(run(key, query));
  } catch (...) {
    erase(places_.find(key)->second);
    throw;
  }
  return query;
}

Task<> CachingResolver::run(Key key, std::shared_ptr<Query> query) {
  const auto& [host, port, family] = key;
  try {
    query->answer = co_await inner_.look_up(host, port, family);
  } catch (...) {
    query->error = std::current_exception();
  }
  keep(key, *query);
  query->done.set();
}

// Caches the outcome from now on, unless clear() has dropped the query meanwhile.
void CachingResolver::keep(const Key& key, const Query& query) {
  const auto place = places_.find(key);
  if (place == places_.end() || place->second->query.get() != &query) return;
  const std::optional<IOLoop::Duration> ttl = query.ttl(options_);
  if (!ttl) return erase(place->second);
  place->second->query->expires = loop_->deadline_after(*ttl);
  make_room();
}

void CachingResolver::erase(Entries::iterator entry) noexcept {
  places_.erase(entry->key);
  entries_.erase(entry);
}

void CachingResolver::make_room() noexcept {
  for (auto entry = entries_.end(); entries_.size() > options_.max_entries && entry != entries_.begin();) {
    --entry;
    // A query under way stays: its waiters share it, and keep() makes room again.
    if (entry->query->expires) erase(entry++);
  }
}

void CachingResolver::clear() noexcept {
  places_.clear();
  entries_.clear();
}

}  // namespace squall
