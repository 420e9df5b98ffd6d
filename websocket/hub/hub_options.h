#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/base/void_function.h>
#include <squall/websocket/connection/connection_options.h>
#include <squall/websocket/hub/broker.h>
#include <squall/websocket/hub/envelope.h>
#include <squall/websocket/hub/history.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::websocket {

// The topics of which a history is kept.
struct HistoryRule {
  std::string pattern{};
  HistoryLimits limits{};
};

struct HubOptions {
  // Null: a MemoryBroker, for a program of one process.
  std::unique_ptr<Broker> broker{};
  // The first rule whose pattern matches a topic applies. Topics without one have no history.
  std::vector<HistoryRule> history{};
  // A larger payload is refused.
  std::size_t max_payload = 1024 * 1024;
  // Of one connection. Further ones are refused.
  std::size_t max_subscriptions = 1000;
  // The messages that wait for a loop, because other threads publish faster than it delivers. Beyond each of
  // the limits messages are lost, and subscribers resume or get a gap.
  std::size_t max_inbox_messages = 65'536;
  std::size_t max_inbox_bytes = 64 * 1024 * 1024;
  // A page of a replayed history.
  std::size_t page_messages = 100;
  std::size_t page_bytes = 64 * 1024;
  // Clients of a server that ends, or has crashed, connect again within this time: each at a random moment.
  TimeSpan reconnect_window = std::chrono::seconds(10);
};

// Messages of a subscription are lost.
struct Gap {
  enum class Reason : std::uint8_t {
    forgotten,    // the history does not reach back to the position, or is another one
    no_history,   // the topic has no history, or not yet
    unavailable,  // the broker cannot be reached, so its history is not known
    link,         // the link to the broker was interrupted, and there is no history to read
    overflow,     // the loop was too slow (HubOptions::max_inbox_messages), and there is no history to read
  };

  std::string_view pattern{};  // of the subscription
  Reason reason = Reason::forgotten;
  // Messages behind this position follow; nullopt if it is not known.
  std::optional<Position> position{};
};
std::string_view to_string(Gap::Reason reason) noexcept;

// The subscriber, as others see it.
struct SubscribePresence {
  std::string user{};  // at most kMaxUserSize bytes
  std::string data{};  // at most kMaxDataSize bytes
  static constexpr std::size_t kMaxUserSize = 255;
  static constexpr std::size_t kMaxDataSize = 1024;
};

struct SubscribeOptions {
  using Presence = SubscribePresence;

  Form form = Form::payload;
  // The messages of this subscription that wait while the client is slow. nullopt: they wait in the queue of
  // the connection, by its options; of an event stream, by the default of QueueOptions.
  std::optional<QueueOptions> queue{};
  // The last position that the client has got: the messages behind it come first. Only for a topic.
  std::optional<Position> resume{};
  // Without `resume`: this many messages of the history come first, at most kMaxLast, and at most 1 MiB of
  // them. Only for a topic.
  std::size_t last = 0;
  static constexpr std::size_t kMaxLast = 1000;
  // nullopt: others do not see the subscription. Only for a topic.
  std::optional<Presence> presence{};
  // Members that join and leave are told, also this one.
  bool presence_events = false;
  // Called in the loop for each gap, before the next message. May call every function of the hub.
  VoidFunction<const Gap&> on_gap{};
};

struct PublishOptions {
  MessageType type = MessageType::text;
  // The payload is JSON: Form::json holds it as it is, not as a string.
  bool is_json = false;
  // Called once, on any thread, also before publish() returns. Must not throw.
  VoidFunction<const Published&> done{};
};

}  // namespace squall::websocket
