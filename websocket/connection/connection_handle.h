#pragma once

#include <squall/websocket/connection/message.h>
#include <squall/websocket/connection/prepared_message.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace squall::websocket {

class Mailbox;

// Sends messages on a WebSocketConnection from other threads, and closes it. Made by
// WebSocketConnection::handle(). It may outlive the connection and the loop: then its functions do nothing.
//
// The messages of one thread are posted in the order of its calls. Until the loop posts them, they have the
// limits and the policy of ConnectionOptions::queue, apart from the messages that wait for the peer. A
// thread that is faster than the loop so drops messages or closes the connection, and all messages that wait
// take at most twice the limits. One message always fits.
//
// Thread:    any; a copy costs a reference count.
// Errors:    std::bad_alloc: then the call has no effect.
class ConnectionHandle {
 public:
  // The handle of no connection: it is not open.
  ConnectionHandle() = default;
  // Made by WebSocketConnection::handle().
  explicit ConnectionHandle(std::shared_ptr<Mailbox> mailbox) noexcept : mailbox_(std::move(mailbox)) {}

  // As WebSocketConnection::post_message(), in a later turn of the loop. False if the message was dropped, or
  // the handle is not open. A message may be dropped after true, too: by the queue, and if the connection
  // ends.
  bool post_message(std::string data, MessageType type = MessageType::text) const;
  bool post_message(const PreparedMessage& message) const;

  // As WebSocketConnection::close(), behind the messages that were posted before. No handle of the connection
  // is open any more.
  void close(std::optional<std::uint16_t> code = std::nullopt, std::string_view reason = {}) const;

  // False once the connection begins to close, and for ever.
  bool is_open() const noexcept;

 private:
  std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace squall::websocket
