#pragma once

#include <squall/websocket/hub/broker.h>

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::websocket::testing {

// A broker whose answers the test makes. The test owns the log, which outlives the broker.
class FakeBroker final : public Broker {
 public:
  struct Read {
    std::string topic;
    HistoryRequest request;
    HistoryDone done;
  };
  struct Log {
    std::string calls;  // each followed by a blank
    std::vector<Read> reads;
    std::vector<VoidFunction<>> confirmations;
    bool confirms_at_once = true;
    BrokerListener* listener = nullptr;

    // A message that comes from the broker.
    void deliver(std::string_view topic, std::string payload,
                 std::optional<Position> position = std::nullopt) {
      listener->on_message(message_of(topic, std::move(payload), position));
    }
    static SharedMessage message_of(std::string_view topic, std::string payload,
                                    std::optional<Position> position) {
      auto message = std::make_shared<TopicMessage>();
      message->topic = topic;
      message->payload = std::make_shared<const std::string>(std::move(payload));
      message->position = position;
      return message;
    }
    // Answers the oldest read with the messages of offsets `first` to `last`; the payloads are the offsets.
    void answer(HistoryPage::Status status, std::uint64_t epoch, std::uint64_t first, std::uint64_t last,
                std::uint64_t top, std::uint64_t bottom = 0) {
      Read read = std::move(reads.front());
      reads.erase(reads.begin());
      HistoryPage page;
      page.status = status;
      page.top = {epoch, top};
      page.bottom = {epoch, bottom};
      for (std::uint64_t i = first; i <= last; ++i)
        page.messages.push_back(message_of(read.topic, std::to_string(i), Position{epoch, i}));
      read.done(std::move(page));
    }
    // `after:max_messages` of the oldest read; `newest` without a position.
    std::string next_read() const {
      if (reads.empty()) return "none";
      const HistoryRequest& request = reads.front().request;
      const std::string after = request.after ? std::to_string(request.after->offset) : "newest";
      return fmt::format("{}:{}", after, request.max_messages);
    }
  };

  explicit FakeBroker(Log& log) : log_(log) {}

  void start(BrokerListener& listener) override { log_.listener = &listener; }
  void stop() noexcept override { log_.calls += "stop "; }
  void subscribe(std::string_view pattern, VoidFunction<> confirmed) override {
    log_.calls += fmt::format("+{} ", pattern);
    if (log_.confirms_at_once) return confirmed();
    log_.confirmations.push_back(std::move(confirmed));
  }
  void unsubscribe(std::string_view pattern) override { log_.calls += fmt::format("-{} ", pattern); }
  void publish(TopicMessage message, const std::optional<HistoryLimits>&, PublishDone done) override {
    log_.calls += fmt::format("publish:{} ", message.topic);
    if (done) done({Published::Status::here});
  }
  void read_history(std::string_view topic, const HistoryRequest& request, HistoryDone done) override {
    log_.reads.push_back({std::string(topic), request, std::move(done)});
  }
  void join(std::string_view topic, const PresenceMember& member) override {
    log_.calls += fmt::format("join:{}:{} ", topic, member.user);
  }
  void leave(std::string_view topic, const PresenceMember& member) override {
    log_.calls += fmt::format("leave:{}:{} ", topic, member.user);
  }
  void read_presence(std::string_view, std::size_t, PresenceDone done) override { done({}); }

 private:
  Log& log_;
};

}  // namespace squall::websocket::testing
