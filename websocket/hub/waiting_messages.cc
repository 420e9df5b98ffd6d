#include <squall/websocket/hub/waiting_messages.h>

#include <utility>

namespace squall::websocket {

using WhenFull = QueueOptions::WhenFull;

bool WaitingMessages::fits(std::size_t added) const noexcept {
  const std::size_t max_messages = options_.when_full == WhenFull::keep_latest ? 1 : options_.max_messages;
  return messages_.size() < max_messages && added <= options_.max_bytes &&
         bytes_ <= options_.max_bytes - added;
}

bool WaitingMessages::add(SharedForms message) {
  const std::size_t size = cost(*message);
  if (!fits(size)) {
    if (options_.when_full == WhenFull::close) {
      ++dropped_;
      return false;
    }
    const bool never_fits = size > options_.max_bytes || options_.max_messages == 0;
    if (options_.when_full == WhenFull::drop_newest || never_fits) {
      ++dropped_;
      return true;
    }
    for (; !fits(size); ++dropped_) take();
  }
  messages_.push_back(std::move(message));
  bytes_ += size;
  return true;
}

SharedForms WaitingMessages::take() {
  SharedForms taken = std::move(messages_.front());
  messages_.pop_front();
  bytes_ -= cost(*taken);
  return taken;
}

void WaitingMessages::clear() noexcept {
  dropped_ += messages_.size();
  messages_.clear();
  bytes_ = 0;
}

}  // namespace squall::websocket
