#include <squall/websocket/hub/topic_history.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace squall::websocket {
namespace {

std::size_t payload_size(const TopicMessage& message) noexcept {
  return message.payload ? message.payload->size() : 0;
}

TopicHistory::TimePoint expiry(TopicHistory::TimePoint now, TimeSpan age) noexcept {
  using TimePoint = TopicHistory::TimePoint;
  const std::chrono::nanoseconds end = saturating_add(now.time_since_epoch(), age);
  return TimePoint(std::chrono::duration_cast<TimePoint::duration>(end));
}

}  // namespace

SharedMessage TopicHistory::add(TopicMessage&& message, const HistoryLimits& limits, TimePoint now) {
  forget_expired(now);
  message.position = Position{top_.epoch, top_.offset + 1};
  auto shared = std::make_shared<const TopicMessage>(std::move(message));
  kept_.push_back({shared, expiry(now, limits.max_age)});
  bytes_ += payload_size(*shared);
  ++top_.offset;
  while (!kept_.empty() && (kept_.size() > limits.max_messages || bytes_ > limits.max_bytes)) forget_front();
  return shared;
}

void TopicHistory::forget_front() noexcept {
  bytes_ -= payload_size(*kept_.front().message);
  kept_.pop_front();
}

// A message with a longer age may keep those behind it for longer than theirs.
void TopicHistory::forget_expired(TimePoint now) noexcept {
  while (!kept_.empty() && kept_.front().expires <= now) forget_front();
}

// The index of the first message of the page.
std::size_t TopicHistory::first_of(const HistoryRequest& request) const noexcept {
  const std::uint64_t first_offset = top_.offset + 1 - kept_.size();
  if (request.after) return static_cast<std::size_t>(request.after->offset + 1 - first_offset);
  std::size_t first = kept_.size() - std::min(kept_.size(), request.max_messages);
  // The newest messages that fit: at least one.
  std::size_t bytes = 0;
  for (std::size_t i = kept_.size(); i-- > first;) {
    bytes += payload_size(*kept_[i].message);
    if (bytes > request.max_bytes) return std::min(i + 1, kept_.size() - 1);
  }
  return first;
}

HistoryPage TopicHistory::read(const HistoryRequest& request, TimePoint now) {
  forget_expired(now);
  HistoryPage page;
  page.top = top_;
  page.bottom = {top_.epoch, top_.offset - kept_.size()};
  if (request.after) {
    const Position& after = *request.after;
    if (after.epoch != top_.epoch || after.offset > top_.offset || after.offset < page.bottom.offset) {
      page.status = HistoryPage::Status::gap;
      return page;
    }
  }
  std::size_t bytes = 0;
  for (std::size_t i = first_of(request); i < kept_.size() && page.messages.size() < request.max_messages;
       ++i) {
    bytes += payload_size(*kept_[i].message);
    if (bytes > request.max_bytes && !page.messages.empty()) break;
    page.messages.push_back(kept_[i].message);
  }
  return page;
}

}  // namespace squall::websocket
