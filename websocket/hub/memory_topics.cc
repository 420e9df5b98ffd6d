#include <squall/websocket/hub/memory_topics.h>

#include <utility>

namespace squall::websocket {

// Calls change(history), and counts its bytes anew.
template <class Change>
auto MemoryTopics::counted(Topic& topic, Change&& change) {
  struct Recount {
    ~Recount() { topics.bytes_ += topic.history.bytes(); }
    MemoryTopics& topics;
    Topic& topic;
  };
  bytes_ -= topic.history.bytes();
  const Recount recount{*this, topic};
  return change(topic.history);
}

MemoryTopics::Topic& MemoryTopics::topic_of(std::string_view name, std::uint64_t new_epoch) {
  const auto at = topics_.find(name);
  if (at != topics_.end()) return *at->second;
  auto made = std::make_unique<Topic>(name, new_epoch);
  return *topics_.emplace(std::string(name), std::move(made)).first->second;
}

SharedMessage MemoryTopics::add(TopicMessage&& message, const HistoryLimits& limits, TimePoint now,
                                std::uint64_t new_epoch) {
  Topic& topic = topic_of(message.topic, new_epoch);
  filled_.move_to_back(topic);
  SharedMessage added =
      counted(topic, [&](TopicHistory& history) { return history.add(std::move(message), limits, now); });
  free_expired(now);
  keep_limits(topic);
  return added;
}

HistoryPage MemoryTopics::read(std::string_view topic, const HistoryRequest& request, TimePoint now) {
  const auto at = topics_.find(topic);
  if (at == topics_.end()) {
    HistoryPage none;
    none.status = HistoryPage::Status::no_history;
    return none;
  }
  return counted(*at->second, [&](TopicHistory& history) { return history.read(request, now); });
}

// A topic is visited twice for each time it is published to, at most.
void MemoryTopics::free_expired(TimePoint now) noexcept {
  for (int i = 0; i < 2 && !filled_.empty(); ++i) {
    Topic& oldest = filled_.front();
    counted(oldest, [&](TopicHistory& history) { history.forget_expired(now); });
    if (oldest.history.size() != 0) return;
    empty_.move_to_back(oldest);
  }
}

void MemoryTopics::keep_limits(const Topic& newest) noexcept {
  while (topics_.size() > max_topics_ || bytes_ > max_bytes_) {
    Topic& oldest = topics_.size() > max_topics_ && !empty_.empty() ? empty_.front() : filled_.front();
    if (&oldest == &newest) return;
    bytes_ -= oldest.history.bytes();
    topics_.erase(topics_.find(oldest.name));
  }
}

}  // namespace squall::websocket
