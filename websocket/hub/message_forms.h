#pragma once

#include <squall/iostream/stream/write_buffer.h>
#include <squall/websocket/connection/prepared_message.h>
#include <squall/websocket/hub/envelope.h>
#include <squall/websocket/hub/topic_message.h>

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace squall::websocket {

// A message in the forms in which it is sent: each is made once, when the first subscriber needs it, and all
// subscribers of all loops share it.
//
// Thread:    any, concurrently.
// Errors:    std::bad_alloc; a later call tries again.
class MessageForms {
 public:
  explicit MessageForms(SharedMessage message) noexcept : message_(std::move(message)) {}
  MessageForms(const MessageForms&) = delete;
  MessageForms& operator=(const MessageForms&) = delete;

  const TopicMessage& message() const noexcept { return *message_; }
  // Of the payload, as the limits of queues count it.
  std::size_t size() const noexcept { return message_->payload ? message_->payload->size() : 0; }
  const PreparedMessage& for_websocket(Form form) const;
  // An event of an event stream, with the position as its id.
  const SharedBytes& for_event_stream(Form form) const;

 private:
  static constexpr std::size_t kForms = 3;

  SharedMessage message_;
  mutable std::array<std::once_flag, 2 * kForms> made_;
  mutable std::array<std::optional<PreparedMessage>, kForms> prepared_;
  mutable std::array<SharedBytes, kForms> events_;
};

using SharedForms = std::shared_ptr<const MessageForms>;

// The event of a notice. Its name is the notice's kind with Form::payload; otherwise it has none.
std::string notice_event(const Notice& notice, Form form);

}  // namespace squall::websocket
