#pragma once

#include <squall/websocket/connection/connection_watcher.h>
#include <squall/websocket/hub/receiver.h>

namespace squall::websocket {

class HubShard;

// The subscriptions of a WebSocket. They end with the connection.
class WebSocketReceiver final : public Receiver, private ConnectionWatcher {
 public:
  WebSocketReceiver(HubShard& shard, WebSocketConnection& socket);
  ~WebSocketReceiver() override;

  WebSocketConnection* socket() noexcept override { return socket_; }
  bool has_room() noexcept override;
  void post(const MessageForms& forms, Form form) override;
  void post(const Notice& notice, Form form) override;
  void close_slow() noexcept override;
  void close_for_restart(TimeSpan window) noexcept override;

 private:
  Task<> drained() override;
  void on_connection_end() noexcept override;

  HubShard& shard_;
  WebSocketConnection* socket_;  // null once it has ended
};

}  // namespace squall::websocket
