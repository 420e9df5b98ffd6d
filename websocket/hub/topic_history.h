#pragma once

#include <squall/websocket/hub/history.h>
#include <squall/websocket/hub/position.h>
#include <squall/websocket/hub/topic_message.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace squall::websocket {

// The newest messages of one topic, in memory.
//
// Thread:    one at a time.
class TopicHistory {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit TopicHistory(std::uint64_t epoch) noexcept : top_{epoch, 0} {}

  // Gives the message the next position, and forgets what is beyond `limits`: the new message too, if it is
  // larger than all that is kept.
  SharedMessage add(TopicMessage&& message, const HistoryLimits& limits, TimePoint now);
  HistoryPage read(const HistoryRequest& request, TimePoint now);
  void forget_expired(TimePoint now) noexcept;

  const Position& top() const noexcept { return top_; }
  std::size_t size() const noexcept { return kept_.size(); }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Kept {
    SharedMessage message;
    TimePoint expires;
  };

  void forget_front() noexcept;
  std::size_t first_of(const HistoryRequest& request) const noexcept;

  Position top_;
  std::deque<Kept> kept_;  // without gaps, up to top_
  std::size_t bytes_ = 0;
};

}  // namespace squall::websocket
