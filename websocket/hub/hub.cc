#include <squall/websocket/hub/hub.h>

#include <squall/ioloop/base/utf8.h>
#include <squall/ioloop/coro/from_callback.h>
#include <squall/websocket/connection/websocket_connection.h>
#include <squall/websocket/hub/function_receiver.h>
#include <squall/websocket/hub/hub_core.h>
#include <squall/websocket/hub/hub_shard.h>
#include <squall/websocket/hub/json_text.h>
#include <squall/websocket/hub/topic.h>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace squall::websocket {
namespace {

void check_payload(std::string_view topic, std::string_view payload, const PublishOptions& options,
                   std::size_t max_size) {
  const auto refuse = [&](std::string_view fault) {
    throw std::invalid_argument(fmt::format("publish() to {}: {}", topic, fault));
  };
  if (payload.size() > max_size) refuse(fmt::format("the payload has more than {} bytes", max_size));
  if (options.type != MessageType::text && options.type != MessageType::binary)
    refuse("pings and pongs cannot be published");
  if (options.type == MessageType::text && !is_utf8(payload))
    refuse("a text must be UTF-8: publish other bytes as a binary message");
  if (options.is_json && (options.type != MessageType::text || !is_json(payload))) refuse("it is not JSON");
}

Task<HistoryPage> read_history(std::shared_ptr<HubCore> core, std::string topic, HistoryRequest request) {
  const auto start = [&](Completion<HistoryPage> done) {
    core->broker().read_history(topic, request, [done](HistoryPage page) { done(std::move(page)); });
  };
  HistoryPage page = co_await from_callback<HistoryPage>(start);
  co_return page;
}

Task<PresenceList> read_presence(std::shared_ptr<HubCore> core, std::string topic, std::size_t max_members) {
  const auto start = [&](Completion<PresenceList> done) {
    core->broker().read_presence(topic, max_members, [done](PresenceList list) { done(std::move(list)); });
  };
  PresenceList list = co_await from_callback<PresenceList>(start);
  co_return list;
}

}  // namespace

Hub::Hub() : Hub(Options()) {}
Hub::Hub(Options options) : core_(std::make_shared<HubCore>(std::move(options))) { core_->start(); }
Hub::~Hub() { core_->close(); }

const HubOptions& Hub::options() const noexcept { return core_->options(); }

SubscriptionId Hub::subscribe(WebSocketConnection& connection, std::string_view pattern,
                              const SubscribeOptions& options) {
  const std::shared_ptr<HubShard> shard = core_->shard_of(connection.loop());
  return shard->subscribe(connection, pattern, options);
}

SubscriptionId Hub::subscribe(std::string_view pattern, VoidFunction<const TopicMessage&> function,
                              const SubscribeOptions& options, IOLoop& loop) {
  if (!function) throw std::invalid_argument("subscribe(): the function is empty");
  return subscribe(std::make_unique<FunctionReceiver>(loop, std::move(function)), pattern, options, loop);
}

SubscriptionId Hub::subscribe(std::unique_ptr<Receiver> receiver, std::string_view pattern,
                              const SubscribeOptions& options, IOLoop& loop) {
  const std::shared_ptr<HubShard> shard = core_->shard_of(loop);
  return shard->subscribe(std::move(receiver), pattern, options);
}

bool Hub::unsubscribe(SubscriptionId id, IOLoop& loop) noexcept {
  const std::shared_ptr<HubShard> shard = core_->find_shard(loop);
  return shard && shard->unsubscribe(id);
}

Subscription Hub::hold(SubscriptionId id, IOLoop& loop) const noexcept {
  return Subscription(core_->find_shard(loop), id);
}

std::uint64_t Hub::dropped_messages(SubscriptionId id, IOLoop& loop) const noexcept {
  const std::shared_ptr<HubShard> shard = core_->find_shard(loop);
  return shard ? shard->dropped(id) : 0;
}

void Hub::publish(std::string_view topic, std::string payload, const PublishOptions& options) {
  check_topic(topic);
  check_payload(topic, payload, options, core_->options().max_payload);
  TopicMessage message;
  message.topic = topic;
  message.payload = std::make_shared<const std::string>(std::move(payload));
  message.type = options.type;
  message.is_json = options.is_json;
  core_->broker().publish(std::move(message), core_->limits_of(topic), options.done);
}

Task<HistoryPage> Hub::history(std::string_view topic, const HistoryRequest& request) const {
  check_topic(topic);
  return read_history(core_, std::string(topic), request);
}

Task<PresenceList> Hub::presence(std::string_view topic, std::size_t max_members) const {
  check_topic(topic);
  return read_presence(core_, std::string(topic), max_members);
}

void Hub::restart_clients() {
  for (const std::shared_ptr<HubShard>& shard : core_->shards()) shard->restart_soon();
}

}  // namespace squall::websocket
