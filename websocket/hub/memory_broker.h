#pragma once

#include <squall/websocket/hub/broker.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace squall::websocket {

struct MemoryBrokerOptions {
  // All histories together. The topics to which nothing was published for the longest time lose their history
  // first. The last message of a topic is kept beyond max_bytes.
  std::size_t max_topics = 100'000;
  std::size_t max_bytes = 256 * 1024 * 1024;  // of the payloads
  // Further members are not listed, and not announced.
  std::size_t max_members = 1'000'000;
};

// The broker of a program that is one process: it keeps histories and presence in memory.
//
// A message reaches the listener before publish() returns. The messages of a topic with a history are ordered
// by a lock, one for each sixteenth of the topics; messages without a history wait for no other.
//
// Thread:    any.
class MemoryBroker final : public Broker {
 public:
  using Options = MemoryBrokerOptions;
  explicit MemoryBroker(const Options& options = {});
  ~MemoryBroker() override;

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

  std::unique_ptr<State> state_;
};

}  // namespace squall::websocket
