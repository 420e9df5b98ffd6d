#pragma once

#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/deflate.h>
#include <squall/websocket/connection/active_parts.h>
#include <squall/websocket/connection/mailbox.h>
#include <squall/websocket/connection/message_stream.h>
#include <squall/websocket/connection/message_writer.h>
#include <squall/websocket/connection/outgoing_message.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace squall::websocket {

// The parts that few connections have: those with handles, with messages in pieces, and those that end.
//
// Lifetime:  owned by the connection, which it refers to.
struct WebSocketConnection::Extras final : Mailbox::Receiver, MessageWriter::Target, MessageStream::Source {
  explicit Extras(WebSocketConnection& owner) noexcept : connection(owner) {}
  ~Extras() { end(); }

  // The connection closes.
  void end() noexcept {
    if (mailbox) mailbox->end();
  }

  // ---- Handles. A message that cannot be sent closes the connection: none is left out.

  void deliver(OutgoingMessage&& message) override;
  void note_dropped(std::uint64_t count) noexcept override { connection.dropped_ += count; }
  void deliver_close(const ClosePayload& payload) noexcept override { connection.close_with(payload); }

  // ---- Messages in pieces. The connection does not rest meanwhile.

  SendAwaiter write_part(std::string_view bytes, Part part) override;
  SendAwaiter write_part(std::string&& bytes, Part part) override;
  void abandon_message() noexcept override;
  // Sends the messages that have waited for the end of this one.
  void send_waiting() noexcept;

  MessageAwaiter read_piece() noexcept override { return {connection, PendingRead::Wanted::piece}; }
  bool is_open() const noexcept override { return connection.active_ && connection.active_->input.is_open(); }
  bool is_last_piece() const noexcept override { return connection.active_->input.is_last_piece(); }
  void leave_message() noexcept override {
    if (connection.active_) connection.active_->input.leave_message();
  }

  WebSocketConnection& connection;
  std::shared_ptr<Mailbox> mailbox;         // null without handles
  std::optional<std::uint16_t> close_code;  // of the peer's close frame
  std::string close_reason;
};

}  // namespace squall::websocket
