#include <squall/websocket/connection/send_queue.h>

#include <squall/iostream/address/errors.h>

#include <system_error>
#include <utility>

namespace squall::websocket {
namespace {

using WhenFull = QueueOptions::WhenFull;

}  // namespace

bool SendQueue::has_room(const IOStream& stream, std::size_t size) noexcept {
  const std::uint64_t pending = stream.pending_write_bytes();
  return pending == 0 ||
         (pending <= kHighWater && may_ever_fit(stream, size + static_cast<std::size_t>(pending)));
}

bool SendQueue::fits(std::size_t cost) const noexcept {
  const std::size_t max_messages = options_.when_full == WhenFull::keep_latest ? 1 : options_.max_messages;
  return messages_.size() < max_messages && cost <= options_.max_bytes && bytes_ <= options_.max_bytes - cost;
}

bool SendQueue::may_ever_fit(const OutgoingMessage& message) const noexcept {
  return message.cost() <= options_.max_bytes && options_.max_messages > 0 &&
         may_ever_fit(stream_, writer_.max_frame_size(message.size()));
}

SendQueue::Added SendQueue::add(OutgoingMessage&& message, std::uint64_t& dropped) {
  const std::size_t cost = message.cost();
  const bool may_fit = may_ever_fit(message);
  if (!may_fit || !fits(cost)) {
    if (options_.when_full == WhenFull::close) return Added::overflow;
    if (options_.when_full == WhenFull::drop_newest || !may_fit) {
      ++dropped;
      return Added::dropped;
    }
    for (; !fits(cost); ++dropped) drop_front();
  }
  messages_.push_back(std::move(message));
  bytes_ += cost;
  start();
  return Added::yes;
}

void SendQueue::set_pong(std::string_view payload) {
  pong_ = payload;
  start();
}

void SendQueue::drop_front() noexcept {
  bytes_ -= messages_.front().cost();
  messages_.pop_front();
}

void SendQueue::clear() noexcept {
  messages_.clear();
  bytes_ = 0;
  pong_.reset();
}

void SendQueue::write_front() {
  OutgoingMessage& next = messages_.front();
  const std::size_t cost = next.cost();
  writer_.write_message(std::move(next));  // if it throws, the message stays in front
  bytes_ -= cost;
  messages_.pop_front();
}

void SendQueue::write_all() {
  while (!messages_.empty()) write_front();
}

void SendQueue::write_some() {
  if (pong_ && has_room(stream_, EncodedHead::kMaxSize + pong_->size()))
    writer_.write_control(Opcode::pong, *std::exchange(pong_, std::nullopt));
  while (may_write_message() && has_room(stream_, writer_.max_frame_size(messages_.front().size())))
    write_front();
}

void SendQueue::start() {
  if ((pong_ || may_write_message()) && task_.empty()) task_.add(run());
}

bool SendQueue::may_write_message() const noexcept {
  return !messages_.empty() && !writer_.is_message_open();
}

Task<> SendQueue::run() {
  try {
    while (pong_ || may_write_message()) {
      co_await stream_.flush();
      write_some();
    }
  } catch (const StreamClosedError&) {
    clear();
  } catch (...) {
    clear();
    stream_.close(std::make_error_code(std::errc::not_enough_memory));
    throw;
  }
}

}  // namespace squall::websocket
