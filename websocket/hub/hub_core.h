#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/websocket/hub/broker.h>
#include <squall/websocket/hub/hub_options.h>
#include <squall/websocket/hub/pattern_trie.h>
#include <squall/websocket/hub/subscriber.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace squall::websocket {

class HubShard;

// The part of a hub that all loops share: which loops have subscribers of a pattern, and the broker.
//
// Locks, in the order in which they are taken: `upstream_`, the broker's, `index_lock_`, an inbox's.
//
// Thread:    any.
// Lifetime:  shared by the hub and its shards, so it may outlive the hub: it is closed then.
class HubCore final : public BrokerListener, public std::enable_shared_from_this<HubCore> {
 public:
  explicit HubCore(HubOptions options);
  HubCore(const HubCore&) = delete;
  HubCore& operator=(const HubCore&) = delete;

  void start() { broker_->start(*this); }
  // The hub is destroyed: ends all subscriptions; other loops do it in their next turn.
  void close() noexcept;
  bool is_closed() const noexcept { return is_closed_.load(std::memory_order_acquire); }

  const HubOptions& options() const noexcept { return options_; }
  Broker& broker() const noexcept { return *broker_; }
  // nullopt for a topic without a history.
  std::optional<HistoryLimits> limits_of(std::string_view topic) const;
  SubscriptionId next_id() noexcept {
    return SubscriptionId(next_id_.fetch_add(1, std::memory_order_relaxed));
  }
  // Of a member of a presence list, unique among all processes.
  std::string client_name(SubscriptionId id) const;

  // The shard of a loop. Makes it for the first subscription.
  std::shared_ptr<HubShard> shard_of(IOLoop& loop);
  std::shared_ptr<HubShard> find_shard(IOLoop& loop) const;
  std::vector<std::shared_ptr<HubShard>> shards() const;
  // The shard has no subscriptions any more.
  void forget(const HubShard& shard) noexcept;

  // The first subscriber of a shard for a pattern, and the last one. add_pattern() returns whether the broker
  // has confirmed the pattern; if not, the shard is told later.
  bool add_pattern(std::string_view pattern, const std::shared_ptr<HubShard>& shard);
  void remove_pattern(std::string_view pattern, const HubShard& shard) noexcept;

  void on_message(const SharedMessage& message) noexcept override;
  void on_gap(std::string_view pattern) noexcept override;

 private:
  struct Pattern {
    std::vector<std::shared_ptr<HubShard>> shards;
    std::uint64_t subscription = 0;  // the number of the subscription upstream
    bool is_confirmed = false;
  };

  void subscribe_upstream(std::string_view pattern, std::uint64_t subscription);
  void on_confirmed(const std::string& pattern, std::uint64_t subscription);
  template <class Visit>
  void for_each_shard_of(std::string_view pattern, Visit&& visit) noexcept;

  HubOptions options_;
  std::shared_ptr<Broker> broker_;
  const std::uint64_t process_;  // random: in the names of clients
  std::atomic<std::uint64_t> next_id_ = 1;
  std::atomic<bool> is_closed_ = false;
  std::mutex upstream_;  // orders the calls of Broker::subscribe() and unsubscribe()
  std::uint64_t subscriptions_ = 0;
  mutable std::shared_mutex index_lock_;
  PatternTrie<Pattern> index_;
  std::vector<std::shared_ptr<HubShard>> shards_;
};

}  // namespace squall::websocket
