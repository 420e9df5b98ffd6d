#include <squall/websocket/connection/send_queue.h>

#include <squall/iostream/address/errors.h>

#include <system_error>
#include <utility>

namespace squall::websocket {
namespace {

using WhenFull = QueueOptions::WhenFull;

constexpr std::size_t kMessageCost = 64;  // the memory of a queued message without its payload

}  // namespace

std::size_t SendQueue::cost(const Waiting& waiting) noexcept { return waiting.payload.size() + kMessageCost; }

bool SendQueue::fits(std::size_t added) const noexcept {
  const std::size_t max_messages = options_.when_full == WhenFull::keep_latest ? 1 : options_.max_messages;
  return messages_.size() < max_messages && added <= options_.max_bytes &&
         bytes_ <= options_.max_bytes - added;
}

SendQueue::Added SendQueue::add(Opcode opcode, std::string&& payload, std::uint64_t& dropped) {
  Waiting added{opcode, std::move(payload)};
  const std::size_t size = cost(added);
  if (!fits(size)) {
    if (options_.when_full == WhenFull::close) return Added::overflow;
    const bool never_fits = size > options_.max_bytes || options_.max_messages == 0;
    if (options_.when_full == WhenFull::drop_newest || never_fits) {
      ++dropped;
      return Added::dropped;
    }
    for (; !fits(size); ++dropped) drop_front();
  }
  messages_.push_back(std::move(added));
  bytes_ += size;
  start();
  return Added::yes;
}

void SendQueue::set_pong(std::string_view payload) {
  pong_ = payload;
  start();
}

void SendQueue::drop_front() noexcept {
  bytes_ -= cost(messages_.front());
  messages_.pop_front();
}

void SendQueue::clear() noexcept {
  messages_.clear();
  bytes_ = 0;
  pong_.reset();
}

void SendQueue::write_front() {
  Waiting& next = messages_.front();
  const std::size_t size = cost(next);
  // If it throws, the message stays in front.
  writer_.write_message(next.opcode, std::move(next.payload));
  bytes_ -= size;
  messages_.pop_front();
}

void SendQueue::write_all() {
  while (!messages_.empty()) write_front();
}

void SendQueue::write_some() {
  if (pong_) writer_.write_control(Opcode::pong, *std::exchange(pong_, std::nullopt));
  while (!messages_.empty() && stream_.pending_write_bytes() <= kHighWater) write_front();
}

void SendQueue::start() {
  if (task_.empty()) task_.add(run());
}

Task<> SendQueue::run() {
  try {
    while (!messages_.empty() || pong_) {
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
