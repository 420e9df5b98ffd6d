#include <squall/websocket/connection/mailbox.h>

namespace squall::websocket {

bool Mailbox::post(OutgoingMessage&& message) {
  const std::size_t cost = message.cost();
  Messages added;
  added.push_back(std::move(message));
  Messages dropped;  // freed behind the lock
  const std::lock_guard lock(mutex_);
  if (!is_open() || !call_loop() || !make_room(cost, dropped)) return false;
  next_.messages.splice(next_.messages.end(), added);
  bytes_ += cost;
  return true;
}

// One message always fits: it may be one that the connection can send at once.
bool Mailbox::fits(std::size_t cost) const noexcept {
  using WhenFull = QueueOptions::WhenFull;
  if (next_.messages.empty()) return true;
  const std::size_t max_messages = options_.when_full == WhenFull::keep_latest ? 1 : options_.max_messages;
  return next_.messages.size() < max_messages && cost <= options_.max_bytes &&
         bytes_ <= options_.max_bytes - cost;
}

// Moves messages to `dropped` until a message of this cost fits. False if that message is to be dropped.
bool Mailbox::make_room(std::size_t cost, Messages& dropped) {
  using WhenFull = QueueOptions::WhenFull;
  if (fits(cost)) return true;
  if (options_.when_full == WhenFull::drop_newest) {
    ++next_.dropped;
    return false;
  }
  if (options_.when_full == WhenFull::close) {
    next_.dropped += next_.messages.size() + 1;
    dropped.swap(next_.messages);
    bytes_ = 0;
    close_with(ClosePayload({close_code::kTryAgainLater, "too slow"}));
    return false;
  }
  for (; !fits(cost); ++next_.dropped) {
    bytes_ -= next_.messages.front().cost();
    dropped.splice(dropped.end(), next_.messages, next_.messages.begin());
  }
  return true;
}

void Mailbox::close(const ClosePayload& payload) {
  const std::lock_guard lock(mutex_);
  if (is_open() && call_loop()) close_with(payload);
}

void Mailbox::close_with(const ClosePayload& payload) {
  next_.close = payload;
  state_.store(State::closed, std::memory_order_release);
}

// False if the loop is gone. Under the lock: if this throws, no other thread has relied on the callback.
bool Mailbox::call_loop() {
  if (is_called_) return true;
  is_called_ = loop_.add_callback([self = shared_from_this()] { self->deliver(); });
  if (!is_called_) state_.store(State::ended, std::memory_order_release);
  return is_called_;
}

// Without the lock: the receiver may call end(), which also ends the loop below.
void Mailbox::deliver() {
  Delivery delivery;
  {
    const std::lock_guard lock(mutex_);
    is_called_ = false;
    bytes_ = 0;
    std::swap(delivery, next_);
  }
  if (receiver_) receiver_->note_dropped(delivery.dropped);
  while (receiver_ && !delivery.messages.empty()) {
    receiver_->deliver(std::move(delivery.messages.front()));
    delivery.messages.pop_front();
  }
  if (receiver_ && delivery.close) receiver_->deliver_close(*delivery.close);
}

void Mailbox::end() noexcept {
  receiver_ = nullptr;
  Delivery dropped;  // freed behind the lock
  const std::lock_guard lock(mutex_);
  state_.store(State::ended, std::memory_order_release);
  std::swap(dropped, next_);
  bytes_ = 0;
}

}  // namespace squall::websocket
