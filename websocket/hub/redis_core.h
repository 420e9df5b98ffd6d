#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/redis/client.h>
#include <squall/redis/command.h>
#include <squall/redis/value.h>
#include <squall/websocket/hub/broker.h>
#include <squall/websocket/hub/redis_broker_options.h>
#include <squall/websocket/hub/redis_envelope.h>
#include <squall/websocket/hub/redis_link.h>
#include <squall/websocket/hub/redis_names.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace squall::websocket {

// The part of a RedisBroker on its loop. The functions are those of Broker.
//
// Thread:    the loop's thread.
class RedisCore final : private RedisLinkUser {
 public:
  // Calls of the listener; the function does nothing once the broker was stopped.
  using Deliver = std::function<void(const std::function<void(BrokerListener&)>&)>;

  RedisCore(const RedisBrokerOptions& options, Deliver deliver, IOLoop& loop);
  ~RedisCore();
  RedisCore(const RedisCore&) = delete;
  RedisCore& operator=(const RedisCore&) = delete;

  void subscribe(const std::string& pattern, VoidFunction<> confirmed);
  void unsubscribe(const std::string& pattern);
  void publish(TopicMessage message, std::optional<HistoryLimits> limits, Broker::PublishDone done);
  void read_history(const std::string& topic, const HistoryRequest& request, Broker::HistoryDone done);
  void join(const std::string& topic, const PresenceMember& member);
  void leave(const std::string& topic, const PresenceMember& member);
  void read_presence(const std::string& topic, std::size_t max_members, Broker::PresenceDone done);

 private:
  // A pattern of subscribe().
  struct Pattern {
    std::vector<std::string> names{};  // upstream
    std::size_t unconfirmed = 0;       // of the names
    VoidFunction<> confirmed{};
    bool has_gap = false;  // on_gap() follows the confirmation
  };
  // A name upstream, which several patterns may share.
  struct Name {
    std::set<std::string> patterns{};
    bool is_confirmed = false;
  };
  // A message that was sent to Redis.
  struct Sent {
    TopicMessage message{};
    bool has_history = false;
    Broker::PublishDone done{};
    std::optional<Position> position{};
    bool has_come = false;  // by the subscription of this process
    bool is_answered = false;
  };
  struct Queued {
    TopicMessage message{};
    std::optional<HistoryLimits> limits{};
    Broker::PublishDone done{};
  };
  // A page that is read, for all that wait for it. `next` came after the command: what they wait for may not
  // be in this page.
  struct Read {
    std::string topic{};
    HistoryRequest request{};
    std::vector<Broker::HistoryDone> waiting{};
    std::vector<Broker::HistoryDone> next{};
  };
  using Members = std::map<std::string, PresenceMember>;

  void on_link_ready() override;
  void on_link_down() override;
  void on_channel_message(std::string_view payload) override;
  void on_subscribed(const std::string& name) override;
  std::uint64_t beat_number() override { return number_; }
  void on_beat(std::uint64_t number) override;

  std::vector<std::string> names_of(std::string_view pattern) const;
  RedisLink::Kind kind_of(std::string_view pattern) const;
  void confirm(const std::string& pattern, Pattern& state);

  void send(TopicMessage message, const std::optional<HistoryLimits>& limits, Broker::PublishDone done);
  Future<redis::Value> send_publish(const RedisEnvelope& envelope,
                                    const std::optional<HistoryLimits>& limits);
  Task<> await_published(std::uint64_t number, Future<redis::Value> answer);
  void settle(std::uint64_t number, const std::optional<redis::Value>& answer);
  void deliver_here(TopicMessage message, const Broker::PublishDone& done);
  bool waits_for_link(const Queued& queued) const;
  void refuse_or_deliver(Queued& queued);
  void deliver(TopicMessage message);
  bool check_position(const TopicMessage& message);
  bool is_subscribed(std::string_view topic) const;
  void forget_positions(const std::string& pattern);

  Task<> read(std::string key);
  Task<HistoryPage> read_page(const Read& read);
  HistoryPage page_from(const redis::Value& answer, bool is_newest_first);

  void report_failure(std::string_view what, const redis::Client* client, const std::exception& error);

  Task<> renew_members();
  void send_members(const std::string& topic, const Members& members);
  void send_and_forget(redis::Client& client, const redis::Command& command);
  Task<PresenceList> ask_presence(std::string topic, std::size_t max_members);
  Task<> answer_presence(std::string topic, std::size_t max_members, Broker::PresenceDone done);
  PresenceList local_presence(const std::string& topic, std::size_t max_members) const;

  const RedisBrokerOptions options_;
  const RedisNames names_;
  std::vector<RedisNames> also_names_;
  const Deliver deliver_;
  const std::uint64_t sender_;
  IOLoop& loop_;
  std::map<std::string, Pattern, std::less<>> patterns_;
  std::set<std::string> wildcards_;  // the patterns with wildcards
  std::map<std::string, Name> upstream_;
  std::uint64_t number_ = 0;  // of the last message that was sent
  std::map<std::uint64_t, Sent> sent_;
  std::deque<Queued> queue_;  // for the link
  std::uint64_t last_sender_ = 0;
  std::uint64_t last_number_ = 0;  // the last message, which another pattern may bring again
  std::unordered_map<std::string, Position> positions_;  // the last ones of topics with a history
  std::map<std::string, Read> reads_;
  std::map<std::string, Members> members_;
  bool has_logged_version_ = false;
  bool has_logged_malformed_ = false;
  bool has_logged_partitions_ = false;
  RedisLink link_;
  TaskGroup tasks_;
};

}  // namespace squall::websocket
