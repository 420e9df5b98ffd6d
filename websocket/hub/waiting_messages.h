#pragma once

#include <squall/websocket/connection/connection_options.h>
#include <squall/websocket/hub/message_forms.h>

#include <cstddef>
#include <cstdint>
#include <deque>

namespace squall::websocket {

// The messages of one subscription that wait because its receiver is slow.
//
// Thread:    one.
class WaitingMessages {
 public:
  explicit WaitingMessages(const QueueOptions& options) noexcept : options_(options) {}

  // False with WhenFull::close, if the message does not fit: the connection is to be closed.
  bool add(SharedForms message);
  // Undefined if it is empty.
  SharedForms take();
  bool empty() const noexcept { return messages_.empty(); }
  std::size_t size() const noexcept { return messages_.size(); }
  // Drops all messages.
  void clear() noexcept;

  std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  static constexpr std::size_t kMessageCost = 64;  // as in QueueOptions

  static std::size_t cost(const MessageForms& message) noexcept { return message.size() + kMessageCost; }
  bool fits(std::size_t added) const noexcept;

  QueueOptions options_;
  std::deque<SharedForms> messages_;
  std::size_t bytes_ = 0;  // the sum of cost()
  std::uint64_t dropped_ = 0;
};

}  // namespace squall::websocket
