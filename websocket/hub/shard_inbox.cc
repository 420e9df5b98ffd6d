#include <squall/websocket/hub/shard_inbox.h>

#include <utility>

namespace squall::websocket {

bool ShardInbox::push(const SharedForms& message) {
  const std::lock_guard lock(mutex_);
  const std::size_t size = message->size();
  if (messages_.size() >= max_messages_ || size > max_bytes_ || bytes_ > max_bytes_ - size) {
    is_incomplete_ = true;
  } else {
    messages_.push_back(message);
    bytes_ += size;
  }
  return !std::exchange(is_loop_woken_, true);
}

ShardInbox::Taken ShardInbox::take() {
  const std::lock_guard lock(mutex_);
  is_loop_woken_ = false;
  bytes_ = 0;
  return {std::exchange(messages_, {}), std::exchange(is_incomplete_, false)};
}

}  // namespace squall::websocket
