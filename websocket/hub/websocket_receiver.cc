#include <squall/websocket/hub/websocket_receiver.h>

#include <squall/ioloop/base/log.h>
#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/reconnect_window.h>
#include <squall/websocket/connection/send_queue.h>
#include <squall/websocket/connection/websocket_connection.h>
#include <squall/websocket/hub/hub_shard.h>

#include <chrono>
#include <exception>

namespace squall::websocket {

WebSocketReceiver::WebSocketReceiver(HubShard& shard, WebSocketConnection& socket)
    : Receiver(socket.loop()), shard_(shard), socket_(&socket) {
  socket.add_watcher(*this);
}

WebSocketReceiver::~WebSocketReceiver() {
  if (socket_) socket_->remove_watcher(*this);
}

bool WebSocketReceiver::has_room() noexcept {
  return socket_ && socket_->waiting_bytes() <= SendQueue::kHighWater;
}

void WebSocketReceiver::post(const MessageForms& forms, Form form) {
  if (!socket_) return;
  try {
    socket_->post_message(forms.for_websocket(form));
  } catch (const std::exception& error) {
    log::general().error("A published message was not sent to a client: {}", error.what());
  }
}

void WebSocketReceiver::post(const Notice& notice, Form form) {
  if (socket_ && form != Form::payload) socket_->post_message(envelope(notice, form));
}

void WebSocketReceiver::close_slow() noexcept {
  if (socket_) socket_->close(close_code::kTryAgainLater, "too slow");
}

void WebSocketReceiver::close_for_restart(TimeSpan window) noexcept {
  if (!socket_ || socket_->is_closing()) return;
  try {
    for (const Subscriber& subscriber : subscribers) {
      if (subscriber.form == Form::payload) continue;
      post(Notice{.kind = Notice::Kind::reconnect, .window = window}, subscriber.form);
      break;
    }
    const auto within = std::chrono::duration_cast<std::chrono::milliseconds>(window);
    socket_->close(close_code::kServiceRestart, reconnect_reason(within));
  } catch (const std::exception& error) {
    log::general().error("A client was not told of the restart: {}", error.what());
  }
}

Task<> WebSocketReceiver::drained() {
  if (socket_) co_await socket_->flush();
}

// Destroys this object.
void WebSocketReceiver::on_connection_end() noexcept {
  WebSocketConnection& ended = *std::exchange(socket_, nullptr);
  shard_.end_connection(ended);
}

}  // namespace squall::websocket
