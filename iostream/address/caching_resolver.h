#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/iostream/address/resolver.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

namespace squall {

// Caches the answers of another resolver, and its definite errors, such as a name that does not exist (RFC
// 2308). Temporary errors, such as a name server that does not answer, are not cached.
//
// Concurrent lookups of one name share one query. Dropping the task of a lookup does not cancel the query, so
// a repeated lookup finds its answer. Numeric addresses go to the other resolver.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the other resolver and the loop. Destruction cancels the queries; no task may wait for a
//            lookup then.
// Errors:    the errors of the other resolver.
class CachingResolver final : public Resolver {
 public:
  struct Options {
    // The time to keep an answer without a TTL; getaddrinfo() gives none.
    TimeSpan default_ttl = std::chrono::seconds(60);
    // Bounds of the TTLs of name servers, and of default_ttl. An answer with a TTL of zero or less is not
    // kept.
    TimeSpan min_ttl = std::chrono::seconds(1);
    TimeSpan max_ttl = std::chrono::hours(1);
    // The time to keep the answer that a name does not exist; nullopt: the answer is not kept.
    std::optional<TimeSpan> negative_ttl = std::chrono::seconds(5);
    // Cached answers; the least recently used is dropped first. Queries under way do not count.
    std::size_t max_entries = 1000;
  };

  explicit CachingResolver(Resolver& inner, IOLoop& loop = IOLoop::current())
      : CachingResolver(inner, Options(), loop) {}
  // Throws std::invalid_argument if min_ttl is above max_ttl.
  CachingResolver(Resolver& inner, Options options, IOLoop& loop = IOLoop::current());
  ~CachingResolver() override;

  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override;

  // Drops all answers. Queries under way continue for the tasks that wait, and are not cached.
  void clear() noexcept;
  // Cached answers, expired ones included, and queries under way.
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  using Key = std::tuple<std::string, std::uint16_t, int>;
  struct Query;
  struct Entry {
    Key key;
    std::shared_ptr<Query> query;  // shared with the tasks that wait for it
  };
  using Entries = std::list<Entry>;  // the most recently used first

  std::shared_ptr<Query> find(const Key& key);
  std::shared_ptr<Query> begin(const Key& key);
  Task<> run(Key key, std::shared_ptr<Query> query);
  void keep(const Key& key, const Query& query);
  void erase(Entries::iterator entry) noexcept;
  void make_room() noexcept;

  Resolver& inner_;
  LoopRef loop_;
  Options options_;
  Entries entries_;
  std::map<Key, Entries::iterator> places_;
  TaskGroup queries_;
};

}  // namespace squall
