#include <squall/websocket/hub/subscription.h>

#include <squall/websocket/hub/hub_shard.h>

namespace squall::websocket {

bool Subscription::unsubscribe() noexcept {
  const std::shared_ptr<HubShard> shard = std::exchange(shard_, {}).lock();
  return shard && shard->unsubscribe(id_);
}

}  // namespace squall::websocket
