#include <squall/websocket/connection/connection_handle.h>

#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/connection/mailbox.h>
#include <squall/websocket/connection/outgoing_message.h>

namespace squall::websocket {

bool ConnectionHandle::post_message(std::string data, MessageType type) const {
  const Opcode opcode = opcode_of(type, data);
  return mailbox_ && mailbox_->post(OutgoingMessage(opcode, std::move(data)));
}

bool ConnectionHandle::post_message(const PreparedMessage& message) const {
  return mailbox_ && mailbox_->post(OutgoingMessage(message));
}

void ConnectionHandle::close(std::optional<std::uint16_t> code, std::string_view reason) const {
  const ClosePayload payload = ClosePayload::of(code, reason);
  if (mailbox_) mailbox_->close(payload);
}

bool ConnectionHandle::is_open() const noexcept { return mailbox_ && mailbox_->is_open(); }

}  // namespace squall::websocket
