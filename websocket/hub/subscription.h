#pragma once

#include <cstdint>
#include <memory>
#include <utility>

namespace squall::websocket {

class HubShard;

// Names a subscription of its hub; never used again.
enum class SubscriptionId : std::uint64_t {};

// Ends a subscription when it is destroyed: made by Hub::hold().
//
// Thread:    of the subscription's loop.
// Lifetime:  may outlive the hub, the connection and the loop.
class Subscription {
 public:
  Subscription() noexcept = default;  // of none
  Subscription(std::weak_ptr<HubShard> shard, SubscriptionId id) noexcept
      : shard_(std::move(shard)), id_(id) {}
  Subscription(Subscription&&) noexcept = default;
  Subscription& operator=(Subscription&& other) noexcept {
    if (this == &other) return *this;
    unsubscribe();
    shard_ = std::move(other.shard_);
    id_ = other.id_;
    return *this;
  }
  ~Subscription() { unsubscribe(); }

  SubscriptionId id() const noexcept { return id_; }
  // False if the subscription has ended before.
  bool unsubscribe() noexcept;
  // The subscription goes on, as long as its connection.
  void release() noexcept { shard_.reset(); }

 private:
  std::weak_ptr<HubShard> shard_;
  SubscriptionId id_{};
};

}  // namespace squall::websocket
