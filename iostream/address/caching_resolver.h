#pragma once

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

// Keeps what another resolver answers, for a while; also that there is no such name (RFC 2308). What may be
// otherwise the next time, a name server that does not answer, is not kept.
//
// Who asks for a name that is being looked up waits for the same answer. A waiter who leaves takes nothing
// from the others, and the lookup goes on, so that who asks again soon finds the answer rather than ask for a
// second one. Numeric addresses are passed on.
//
// Lifetime:  borrows the resolver that does the work, and the loop. Destruction cancels the lookups: nobody
//            may wait then.
// Errors:    those of the other resolver.
class CachingResolver final : public Resolver {
 public:
  struct Options {
    // For how long an answer holds whose resolver does not know, as the system's does not.
    std::chrono::nanoseconds default_ttl = std::chrono::seconds(60);
    // Bounds of what name servers say, and of the above.
    std::chrono::nanoseconds min_ttl = std::chrono::seconds(1);
    std::chrono::nanoseconds max_ttl = std::chrono::hours(1);
    // The time to keep the answer that a name does not exist; none: it is not kept.
    std::optional<std::chrono::nanoseconds> negative_ttl = std::chrono::seconds(5);
    // Answers that are kept; those not asked for the longest go first. Lookups under way are not counted.
    std::size_t max_entries = 1000;
  };

  explicit CachingResolver(Resolver& inner, IOLoop& loop = IOLoop::current())
      : CachingResolver(inner, Options(), loop) {}
  // Throws std::invalid_argument if min_ttl is above max_ttl.
  CachingResolver(Resolver& inner, Options options, IOLoop& loop = IOLoop::current());
  ~CachingResolver() override;

  Task<Answer> look_up(std::string host, std::uint16_t port, int family) override;

  // Forgets all answers. Lookups under way go on, for those who wait.
  void clear() noexcept;
  // Answers kept, some of which may have expired, and lookups under way.
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  using Key = std::tuple<std::string, std::uint16_t, int>;
  struct Query;
  struct Entry {
    Key key;
    std::shared_ptr<Query> query;  // shared with those who wait for it
  };
  using Entries = std::list<Entry>;  // the last one asked for comes first

  std::shared_ptr<Query> find(const Key& key);
  std::shared_ptr<Query> begin(const Key& key);
  Task<> run(Key key, std::shared_ptr<Query> query);
  void keep(const Key& key, const Query& query);
  void erase(Entries::iterator entry) noexcept;
  void make_room() noexcept;

  Resolver& inner_;
  IOLoop& loop_;
  Options options_;
  Entries entries_;
  std::map<Key, Entries::iterator> places_;
  TaskGroup queries_;
};

}  // namespace squall
