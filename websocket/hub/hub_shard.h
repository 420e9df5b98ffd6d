#pragma once

#include <squall/ioloop/base/callback.h>
#include <squall/ioloop/base/intrusive_list.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/loop_handle.h>
#include <squall/websocket/hub/hub_core.h>
#include <squall/websocket/hub/pattern_trie.h>
#include <squall/websocket/hub/receiver.h>
#include <squall/websocket/hub/shard_inbox.h>
#include <squall/websocket/hub/topic_group.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace squall::websocket {

class WebSocketConnection;

// The subscriptions of one loop. It exists while there are any.
//
// Thread:    the loop's thread; after the end of the loop, one thread at a time. The functions that say so,
//            any.
// Lifetime:  shared by the core and by callbacks that are under way, so it may outlive both hub and loop.
class HubShard : public std::enable_shared_from_this<HubShard> {
 public:
  HubShard(std::shared_ptr<HubCore> core, IOLoop& loop);
  ~HubShard();
  HubShard(const HubShard&) = delete;
  HubShard& operator=(const HubShard&) = delete;

  const LoopHandle& handle() const noexcept { return handle_; }
  const HubOptions& options() const noexcept { return core_->options(); }

  // ---- Any thread. If the loop is gone, these do nothing.

  // Wakes the loop if no message waits for it yet.
  void push(const SharedForms& message);
  void confirm_soon(const std::string& pattern);
  void lost_soon(std::string pattern);
  void end_all_soon() noexcept;
  void restart_soon();

  // ---- The loop's thread.

  // Checks the options. The receiver of a connection is made with its first subscription.
  SubscriptionId subscribe(WebSocketConnection& socket, std::string_view pattern,
                           const SubscribeOptions& options);
  SubscriptionId subscribe(std::unique_ptr<Receiver> receiver, std::string_view pattern,
                           const SubscribeOptions& options);
  // False if the subscription has ended.
  bool unsubscribe(SubscriptionId id) noexcept;
  std::uint64_t dropped(SubscriptionId id) const noexcept;
  void end_connection(const WebSocketConnection& socket) noexcept;
  void end_all() noexcept;
  std::size_t subscriptions() const noexcept { return subscribers_.size(); }

  // ---- For TopicGroup.

  // While an object exists, subscribers and groups that end stay in memory.
  class Walk;
  void compact_later(TopicGroup& group) noexcept { changed_.move_to_back(group); }
  void read_history(TopicGroup& group, const HistoryRequest& request);

 private:
  using Group = std::unique_ptr<TopicGroup>;

  void check_subscribe(std::string_view pattern, const SubscribeOptions& options,
                       const Receiver* receiver) const;
  SubscriptionId add(Receiver& receiver, std::string_view pattern, const SubscribeOptions& options);
  TopicGroup& group_of(std::string_view pattern);
  bool needs_history(const TopicGroup& group, const SubscribeOptions& options) const;
  void remove(Subscriber& subscriber) noexcept;
  void remove_all(Receiver& receiver) noexcept;
  void leave(const Subscriber& subscriber) noexcept;
  void end_receiver(Receiver& receiver) noexcept;
  void end_walk() noexcept;
  bool run_soon(Callback callback) const;
  void deliver_inbox();
  void take_inbox();
  std::size_t deliver(const SharedForms& message, SendTime time);
  void on_overflow();

  std::shared_ptr<HubCore> core_;
  LoopHandle handle_;
  ShardInbox inbox_;
  std::atomic<bool> is_loop_gone_ = false;
  std::vector<SharedForms> taken_;     // from the inbox; being delivered
  std::size_t next_ = 0;               // of taken_
  bool is_incomplete_ = false;         // messages behind taken_ are lost
  bool is_continuing_ = false;         // a callback delivers the rest of taken_, and then the inbox
  std::vector<TopicGroup*> matching_;  // of the message that is being delivered; keeps its memory
  std::uint64_t groups_made_ = 0;
  PatternTrie<Group> groups_;
  std::unordered_map<SubscriptionId, std::unique_ptr<Subscriber>> subscribers_;
  std::unordered_map<const Receiver*, std::unique_ptr<Receiver>> receivers_;
  std::unordered_map<const WebSocketConnection*, Receiver*> by_socket_;

  // Of walks that are under way.
  int walks_ = 0;
  IntrusiveList<TopicGroup> changed_;
  IntrusiveList<Subscriber, OfReceiver> ended_subscribers_;  // owned
  IntrusiveList<Receiver> ended_receivers_;                  // owned
};

class HubShard::Walk {
 public:
  explicit Walk(HubShard& shard) noexcept : shard_(shard) { ++shard_.walks_; }
  ~Walk() {
    if (--shard_.walks_ == 0) shard_.end_walk();
  }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

 private:
  HubShard& shard_;
};

}  // namespace squall::websocket
