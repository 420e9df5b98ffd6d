#include <squall/websocket/hub/hub_core.h>

#include <squall/ioloop/base/log.h>
#include <squall/websocket/hub/hub_shard.h>
#include <squall/websocket/hub/memory_broker.h>
#include <squall/websocket/hub/random_number.h>
#include <squall/websocket/hub/topic.h>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

namespace squall::websocket {
namespace {

HubOptions checked(HubOptions options) {
  for (const HistoryRule& rule : options.history) check_pattern(rule.pattern);
  if (options.page_messages == 0 || options.page_bytes == 0)
    throw std::invalid_argument("Hub: page_messages and page_bytes must be positive");
  if (options.reconnect_window < TimeSpan::zero())
    throw std::invalid_argument("Hub: reconnect_window must not be negative");
  return options;
}

}  // namespace

HubCore::HubCore(HubOptions options)
    : options_(checked(std::move(options))),
      broker_(options_.broker ? std::shared_ptr<Broker>(std::move(options_.broker))
                              : std::make_shared<MemoryBroker>()),
      process_(random_number()) {}

void HubCore::close() noexcept {
  {
    const std::lock_guard upstream(upstream_);
    is_closed_.store(true, std::memory_order_release);
  }
  broker_->stop();
  // The shards end on their threads. Without the index nothing else keeps them in memory.
  std::vector<std::shared_ptr<HubShard>> shards;
  PatternTrie<Pattern> index;
  {
    const std::lock_guard lock(index_lock_);
    shards.swap(shards_);
    index = std::exchange(index_, {});
  }
  for (const std::shared_ptr<HubShard>& shard : shards) shard->end_all_soon();
}

std::optional<HistoryLimits> HubCore::limits_of(std::string_view topic) const {
  for (const HistoryRule& rule : options_.history)
    if (topic_matches(rule.pattern, topic)) return rule.limits;
  return std::nullopt;
}

std::string HubCore::client_name(SubscriptionId id) const {
  return fmt::format("{:016x}-{}", process_, static_cast<std::uint64_t>(id));
}

// ---- Shards.

std::shared_ptr<HubShard> HubCore::find_shard(IOLoop& loop) const {
  const LoopHandle handle = loop.handle();
  const std::shared_lock lock(index_lock_);
  for (const std::shared_ptr<HubShard>& shard : shards_)
    if (shard->handle() == handle) return shard;
  return nullptr;
}

// Only the thread of a loop makes its shard.
std::shared_ptr<HubShard> HubCore::shard_of(IOLoop& loop) {
  if (std::shared_ptr<HubShard> found = find_shard(loop)) return found;
  auto made = std::make_shared<HubShard>(shared_from_this(), loop);
  const std::lock_guard lock(index_lock_);
  return shards_.emplace_back(std::move(made));
}

std::vector<std::shared_ptr<HubShard>> HubCore::shards() const {
  const std::shared_lock lock(index_lock_);
  return shards_;
}

void HubCore::forget(const HubShard& shard) noexcept {
  std::shared_ptr<HubShard> forgotten;  // is destroyed without the lock
  const std::lock_guard lock(index_lock_);
  const auto at = std::find_if(shards_.begin(), shards_.end(),
                               [&](const std::shared_ptr<HubShard>& other) { return other.get() == &shard; });
  if (at == shards_.end()) return;
  forgotten = std::move(*at);
  shards_.erase(at);
}

// ---- Patterns.

bool HubCore::add_pattern(std::string_view pattern, const std::shared_ptr<HubShard>& shard) {
  const std::lock_guard upstream(upstream_);
  std::uint64_t subscription = 0;
  {
    const std::lock_guard lock(index_lock_);
    Pattern& found = index_.add(pattern);
    found.shards.push_back(shard);
    if (found.shards.size() > 1) return found.is_confirmed;
    subscription = found.subscription = ++subscriptions_;
  }
  try {
    subscribe_upstream(pattern, subscription);
  } catch (...) {
    const std::lock_guard lock(index_lock_);
    index_.erase(pattern);
    throw;
  }
  return false;
}

void HubCore::subscribe_upstream(std::string_view pattern, std::uint64_t subscription) {
  broker_->subscribe(pattern, [weak = weak_from_this(), copy = std::string(pattern), subscription] {
    if (const std::shared_ptr<HubCore> self = weak.lock()) self->on_confirmed(copy, subscription);
  });
}

void HubCore::on_confirmed(const std::string& pattern, std::uint64_t subscription) {
  std::vector<std::shared_ptr<HubShard>> shards;
  {
    const std::lock_guard lock(index_lock_);
    Pattern* const found = index_.find(pattern);
    if (!found || found->subscription != subscription) return;
    found->is_confirmed = true;
    shards = found->shards;
  }
  for (const std::shared_ptr<HubShard>& shard : shards) shard->confirm_soon(pattern);
}

void HubCore::remove_pattern(std::string_view pattern, const HubShard& shard) noexcept {
  std::shared_ptr<HubShard> removed;  // is destroyed without the locks
  const std::lock_guard upstream(upstream_);
  {
    const std::lock_guard lock(index_lock_);
    Pattern* const found = index_.find(pattern);
    if (!found) return;
    const auto at =
        std::find_if(found->shards.begin(), found->shards.end(),
                     [&](const std::shared_ptr<HubShard>& other) { return other.get() == &shard; });
    if (at == found->shards.end()) return;
    removed = std::move(*at);
    found->shards.erase(at);
    if (!found->shards.empty()) return;
    index_.erase(pattern);
  }
  if (is_closed()) return;
  try {
    broker_->unsubscribe(pattern);
  } catch (const std::exception& error) {
    log::general().error("The subscription of {} was not ended: {}", pattern, error.what());
  }
}

// ---- The broker's messages.

void HubCore::on_message(const SharedMessage& message) noexcept {
  try {
    std::vector<HubShard*> matching;
    const std::shared_lock lock(index_lock_);
    index_.match(message->topic, [&](const Pattern& pattern) {
      for (const std::shared_ptr<HubShard>& shard : pattern.shards)
        if (std::find(matching.begin(), matching.end(), shard.get()) == matching.end())
          matching.push_back(shard.get());
    });
    if (matching.empty()) return;
    const auto forms = std::make_shared<const MessageForms>(message);
    for (HubShard* const shard : matching) shard->push(forms);
  } catch (const std::exception& error) {
    log::general().error("A message to {} was lost: {}", message->topic, error.what());
    on_gap(message->topic);
  }
}

void HubCore::on_gap(std::string_view pattern) noexcept {
  try {
    const std::shared_lock lock(index_lock_);
    const auto tell = [&](const Pattern& found) {
      for (const std::shared_ptr<HubShard>& shard : found.shards) shard->lost_soon(std::string(pattern));
    };
    if (const Pattern* const found = index_.find(pattern)) tell(*found);
  } catch (const std::exception& error) {
    log::general().error("Subscribers of {} were not told of a gap: {}", pattern, error.what());
  }
}

}  // namespace squall::websocket
