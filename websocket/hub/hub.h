#pragma once

#include <squall/ioloop/base/void_function.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/websocket/hub/broker.h>
#include <squall/websocket/hub/hub_options.h>
#include <squall/websocket/hub/subscription.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace squall::websocket {

class HubCore;
class Receiver;
class WebSocketConnection;

// Topics: what is published to one reaches all connections that are subscribed to it.
//
//     websocket::Hub hub;                                   // one for the process
//     hub.subscribe(*socket, "prices.*");                   // in the loop of the connection
//     hub.publish("prices.eur", R"({"usd": 1.09})");        // in any thread
//
// Each message is framed once for each kind of receiver, and shared by reference. It is delivered in a later
// callback of each loop that has a subscriber, which is woken once for all messages that wait. Messages that
// one thread publishes to one topic arrive in order; with a history, all subscribers of all processes get
// them in the same order. A connection with several subscriptions that match gets the message for each of
// them.
//
// docs/topics.md has patterns, histories, resuming and the formats.
//
// Thread:    publish(), presence(), history() and restart_clients() from any thread; subscribe() and
//            unsubscribe() from the thread of the connection's loop. Constructor and destructor from any.
// Lifetime:  may be destroyed before its connections and loops, and after them. The destructor ends the
//            subscriptions; the subscriptions of other loops end in the loop's next turn. Subscriptions of a
//            loop that has ended get no messages. The functions of a subscription are destroyed in its loop.
// Errors:    std::invalid_argument for a bad topic, pattern or option. Exceptions of the functions that are
//            subscribed are logged, and the others get the message.
class Hub {
 public:
  using Options = HubOptions;
  // Throws std::invalid_argument for a bad pattern in Options::history, and as the broker does.
  Hub();
  explicit Hub(Options options);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // ---- Subscriptions.

  // Ends with the connection, when it is closed or destroyed. Messages of HubOptions::history come first if
  // the options ask for it. Throws std::length_error beyond Options::max_subscriptions, and
  // WebSocketClosedError if the connection is closing.
  SubscriptionId subscribe(WebSocketConnection& connection, std::string_view pattern,
                           const SubscribeOptions& options = {});
  // Calls `function` in `loop`, which must be the loop of this thread, with each message, also of
  // Kind::join and Kind::leave with SubscribeOptions::presence_events. It may call every function of the hub.
  SubscriptionId subscribe(std::string_view pattern, VoidFunction<const TopicMessage&> function,
                           const SubscribeOptions& options = {}, IOLoop& loop = IOLoop::current());
  // No message is delivered afterwards, and bytes that the connection has are still sent. False if the
  // subscription has ended before. In the loop of the subscription.
  bool unsubscribe(SubscriptionId id, IOLoop& loop = IOLoop::current()) noexcept;
  // An object that ends the subscription when it is destroyed. In the loop of the subscription.
  Subscription hold(SubscriptionId id, IOLoop& loop = IOLoop::current()) const noexcept;
  // The messages that the queue of SubscribeOptions::queue has dropped. In the loop of the subscription.
  std::uint64_t dropped_messages(SubscriptionId id, IOLoop& loop = IOLoop::current()) const noexcept;

  // ---- Messages.

  // Throws std::invalid_argument for a bad topic, a text that is not UTF-8, JSON that is not valid (is_json)
  // and more than Options::max_payload bytes.
  void publish(std::string_view topic, std::string payload, const PublishOptions& options = {});

  // One page of a history. In a loop.
  Task<HistoryPage> history(std::string_view topic, const HistoryRequest& request = {}) const;
  // The members of a topic; `max_members` of 0 asks for their number alone. In a loop.
  Task<PresenceList> presence(std::string_view topic, std::size_t max_members = 1000) const;

  // ---- The end of a server.

  // Tells each client to connect again within Options::reconnect_window, and closes its connection: a
  // WebSocket with 1012 and the reason `reconnect-within-ms=10000`; an event stream with a random `retry`.
  void restart_clients();

  // ---- For other kinds of receivers, as serve_topic() has one.

  SubscriptionId subscribe(std::unique_ptr<Receiver> receiver, std::string_view pattern,
                           const SubscribeOptions& options, IOLoop& loop);
  const Options& options() const noexcept;

 private:
  std::shared_ptr<HubCore> core_;  // shared with the subscriptions
};

}  // namespace squall::websocket
