#pragma once

#include <squall/ioloop/base/void_function.h>
#include <squall/websocket/hub/history.h>
#include <squall/websocket/hub/topic_message.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace squall::websocket {

// The hub's side of a broker.
//
// Thread:    any; calls for the same topic come one after another, in the order of their positions.
// Errors:    none. Every call returns soon: it puts a message into bounded queues, and waits for no client.
class BrokerListener {
 public:
  // A message that was published in this or another process, once. The broker may also bring messages of
  // topics that no pattern of subscribe() matches: the hub drops them.
  virtual void on_message(const SharedMessage& message) noexcept = 0;
  // Messages of topics that match `pattern` (one of subscribe()) may have been lost, and from now on
  // messages arrive again. The hub then reads the histories of topics with positions, and tells the
  // subscribers of others.
  virtual void on_gap(std::string_view pattern) noexcept = 0;

 protected:
  ~BrokerListener() = default;
};

// The result of Broker::publish().
struct Published {
  enum class Status : std::uint8_t {
    everywhere,  // the broker has the message, and brings it to every process
    here,        // the broker cannot be reached: only the subscribers of this process got the message
    refused,     // for example by a limit: nobody got the message
  };
  Status status = Status::everywhere;
  std::optional<Position> position{};  // nullopt without a history
};

struct PresenceList {
  std::vector<PresenceMember> members{};  // in no order, at most as many as asked for
  std::size_t count = 0;                  // of all members
  bool is_complete = true;                // false: only of this process, because the broker cannot be reached
};

// Carries messages between the hubs of all processes, and keeps histories and presence. MemoryBroker is the
// one of a single process.
//
// A hub has one broker, and a broker one hub. The hub checks topics, patterns and sizes before it calls.
//
//   the link  | publish() delivers            | read_history()      | read_presence()
//   up        | in all processes              | the page            | of all processes
//   down      | in this process, at once,     | unavailable         | of this process, not complete
//             | without a position            |                     |
//   up again  | on_gap() for each pattern of subscribe(); joins are told to the broker again
//
// A broker with a link never waits for it in a function of this interface, and bounds the messages that wait
// for it. Its link never waits for a listener. While no message arrives, it proves by messages of its own,
// which take the way of all messages, that its subscription is alive.
//
// Thread:    every function from any thread, concurrently. Callbacks on any thread, also before the function
//            returns; each exactly once, unless stop() was called meanwhile: then they may be dropped.
// Lifetime:  owned by the hub, which calls start() first, and stop() last. It may be destroyed later, on any
//            thread: with the last connection that was subscribed.
// Errors:    functions throw std::bad_alloc, and std::logic_error outside of start() and stop(). All else is
//            in the results. Callbacks do not throw.
class Broker {
 public:
  using PublishDone = VoidFunction<const Published&>;
  using HistoryDone = VoidFunction<HistoryPage>;
  using PresenceDone = VoidFunction<PresenceList>;

  virtual ~Broker() = default;

  // The listener lives until stop() has returned.
  virtual void start(BrokerListener& listener) = 0;
  // Waits for calls of the listener that are under way in other threads; none begins afterwards. Not from
  // the listener.
  virtual void stop() noexcept = 0;

  // The first subscriber of this process, and the last one, of a pattern (see topic.h). So a broker has one
  // subscription upstream for each pattern, however many clients there are. Calls for a pattern alternate.
  // Messages that were published after subscribe() returned may be missed until the broker has confirmed the
  // subscription; `confirmed` (may be empty) is called then, or when the link fails. A history that is read
  // after `confirmed` and the messages of the listener have no gap between them.
  virtual void subscribe(std::string_view pattern, VoidFunction<> confirmed) = 0;
  virtual void unsubscribe(std::string_view pattern) = 0;

  // Brings `message` to the listener of every process whose patterns match, exactly once; in this process
  // also if the link is down. With `limits` the broker gives the message the next position of its topic, and
  // keeps both together: the listener gets them with the message, and so does read_history(). The message
  // comes without a position. `done` may be empty.
  virtual void publish(TopicMessage message, const std::optional<HistoryLimits>& limits,
                       PublishDone done) = 0;

  // Reads one page. The hub has at most one read under way for each topic and loop, whose result serves all
  // clients that wait for it.
  virtual void read_history(std::string_view topic, const HistoryRequest& request, HistoryDone done) = 0;

  // Adds a member to a topic, or removes it, and publishes the Kind::join or Kind::leave to its subscribers.
  // A broker with a link keeps members only as long as their process lives: it renews them, and the
  // members of a dead process expire.
  virtual void join(std::string_view topic, const PresenceMember& member) = 0;
  virtual void leave(std::string_view topic, const PresenceMember& member) = 0;
  // At most `max_members` of them; 0 asks for the count alone.
  virtual void read_presence(std::string_view topic, std::size_t max_members, PresenceDone done) = 0;
};

}  // namespace squall::websocket
