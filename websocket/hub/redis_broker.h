#pragma once

#include <squall/ioloop/loop/ioloop.h>
#include <squall/websocket/hub/broker.h>
#include <squall/websocket/hub/redis_broker_options.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace squall::websocket {

// A broker by Redis (6 or newer): the hubs of all processes with the same server and prefix are one.
//
//     RedisBrokerOptions options;
//     options.server = redis::parse_url("redis://:secret@localhost");
//     Hub hub(std::make_unique<RedisBroker>(options));
//
// A message is published by PUBLISH, or with a history by a script that gives it its position, stores both in
// a stream, and publishes them, in one step. There are two connections, whatever the number of topics. A link
// that fails is made again, after random times that grow; then on_gap() is called for each pattern.
//
//   what happens           | to messages
//   Redis is away          | RedisBrokerOptions::when_down
//   the link fails while a | if it has come back, it is everywhere. Otherwise it is delivered here and
//   message is under way   | reported as `here`, although Redis may have it: then other processes get it, and
//                          | a history has it
//   Redis restarts         | its histories begin another epoch, unless `keeps_all_on_restart` of the options
//   an offset is missing   | on_gap(), before the message behind it
//   an unknown version     | skipped; logged once
//
// Thread:    any. All work, and all calls of the listener, happen on `loop`, by callbacks.
// Lifetime:  borrows the loop, which may end before the broker: nothing is delivered then.
// Errors:    the constructor throws std::invalid_argument for a bad prefix or no partitions.
class RedisBroker final : public Broker {
 public:
  using Options = RedisBrokerOptions;
  explicit RedisBroker(const Options& options, IOLoop& loop = IOLoop::current());
  ~RedisBroker() override;

  void start(BrokerListener& listener) override;
  void stop() noexcept override;
  void subscribe(std::string_view pattern, VoidFunction<> confirmed) override;
  void unsubscribe(std::string_view pattern) override;
  void publish(TopicMessage message, const std::optional<HistoryLimits>& limits, PublishDone done) override;
  void read_history(std::string_view topic, const HistoryRequest& request, HistoryDone done) override;
  void join(std::string_view topic, const PresenceMember& member) override;
  void leave(std::string_view topic, const PresenceMember& member) override;
  void read_presence(std::string_view topic, std::size_t max_members, PresenceDone done) override;

 private:
  struct State;

  template <class Work>
  void post(Work work);

  std::shared_ptr<State> state_;
};

}  // namespace squall::websocket
