#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/websocket/hub/topic_history.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace squall::websocket {

// The histories of many topics, with limits on all of them together.
//
// A topic whose messages have expired keeps its position, so that a client that has them all can resume.
//
// Thread:    one at a time.
class MemoryTopics {
 public:
  using TimePoint = TopicHistory::TimePoint;

  MemoryTopics(std::size_t max_topics, std::size_t max_bytes) noexcept
      : max_topics_(max_topics), max_bytes_(max_bytes) {}

  // `new_epoch` is of the topic if it has no history yet.
  SharedMessage add(TopicMessage&& message, const HistoryLimits& limits, TimePoint now,
                    std::uint64_t new_epoch);
  HistoryPage read(std::string_view topic, const HistoryRequest& request, TimePoint now);

  std::size_t size() const noexcept { return topics_.size(); }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Topic : ListNode<> {
    Topic(std::string_view topic, std::uint64_t epoch) : name(topic), history(epoch) {}
    std::string name;
    TopicHistory history;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };

  Topic& topic_of(std::string_view name, std::uint64_t new_epoch);
  template <class Change>
  auto counted(Topic& topic, Change&& change);
  void free_expired(TimePoint now) noexcept;
  void keep_limits(const Topic& newest) noexcept;

  std::unordered_map<std::string, std::unique_ptr<Topic>, Hash, std::equal_to<>> topics_;
  // Those to which nothing was published for the longest time first.
  IntrusiveList<Topic> filled_;
  IntrusiveList<Topic> empty_;  // their messages have expired
  std::size_t bytes_ = 0;
  std::size_t max_topics_;
  std::size_t max_bytes_;
};

}  // namespace squall::websocket
