#include <squall/websocket/connection/extra_parts.h>

#include <squall/websocket/connection/active_parts.h>
#include <squall/websocket/connection/frame_writer.h>
#include <squall/websocket/connection/send_queue.h>

#include <utility>

namespace squall::websocket {

void WebSocketConnection::Extras::deliver(OutgoingMessage&& message) {
  // The stream is closed, and no read has found that yet.
  if (connection.is_closing()) {
    ++connection.dropped_;
    return end();
  }
  try {
    connection.post(std::move(message));
  } catch (...) {
    connection.close_with(ClosePayload({squall::websocket::close_code::kInternalError, "internal error"}));
    throw;
  }
}

SendAwaiter WebSocketConnection::Extras::write_part(std::string_view bytes, Part part) {
  connection.check_open();
  SendAwaiter result = connection.sent(connection.writer().write_part(bytes, part));
  if (part == Part::last) send_waiting();
  return result;
}

SendAwaiter WebSocketConnection::Extras::write_part(std::string&& bytes, Part part) {
  connection.check_open();
  return connection.sent(connection.writer().write_part(std::move(bytes), part));
}

void WebSocketConnection::Extras::abandon_message() noexcept {
  FrameWriter& writer = connection.active_->writer;
  if (writer.is_message_cut())
    connection.close_with(
        ClosePayload({squall::websocket::close_code::kInternalError, "message not finished"}));
  writer.abandon_message();
  send_waiting();
}

void WebSocketConnection::Extras::send_waiting() noexcept {
  SendQueue* const queue = connection.active_->queue.get();
  try {
    if (queue) queue->start();
  } catch (...) {
    connection.close_with(ClosePayload({squall::websocket::close_code::kInternalError, "internal error"}));
  }
}

}  // namespace squall::websocket
