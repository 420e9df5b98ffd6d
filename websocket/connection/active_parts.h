#pragma once

#include <squall/ioloop/base/frame_pool.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/connection/connection_context.h>
#include <squall/websocket/connection/frame_writer.h>
#include <squall/websocket/connection/keep_alive.h>
#include <squall/websocket/connection/message_input.h>
#include <squall/websocket/connection/send_queue.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <memory>
#include <string_view>
#include <system_error>

namespace squall::websocket {

// The parts of a connection that it has only while it is active: see ConnectionContext.
//
// Lifetime:  owned by the connection, which it refers to.
struct WebSocketConnection::Active final : ConnectionContext::Member, MessageInput::Host, Pooled {
  Active(WebSocketConnection& connection, IOStream stream);
  ~Active();

  WebSocketConnection& connection;
  IOStream stream;
  FrameWriter writer;
  std::unique_ptr<SendQueue> queue;  // null while no message has had to wait
  Timeout deadline;
  MessageInput input;  // destroyed first

 private:
  bool try_rest() noexcept override { return connection.rest(); }

  void note_received() noexcept override {
    note_use();
    if (connection.keep_alive_) connection.keep_alive_->note_received();
  }
  void note_waiting() noexcept override { connection.context_->may_rest(*this); }
  void answer_ping(std::string_view payload) override { connection.answer_ping(payload); }
  void peer_closed(const CloseStatus& status) override { connection.peer_closed(status); }
  void fail(const Fault& fault) override { connection.fail(fault); }
  void end(std::error_code error) noexcept override { connection.end(error); }
};

}  // namespace squall::websocket
