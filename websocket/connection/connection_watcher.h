#pragma once

namespace squall::websocket {

// Is told of the end of a WebSocketConnection: see WebSocketConnection::add_watcher().
class ConnectionWatcher {
 public:
  ConnectionWatcher() noexcept = default;
  ConnectionWatcher(const ConnectionWatcher&) = delete;
  ConnectionWatcher& operator=(const ConnectionWatcher&) = delete;

  // The connection is closed, or is being destroyed: only its address may be used. The connection no longer
  // refers to the watcher, which may be destroyed in this call.
  virtual void on_connection_end() noexcept = 0;

 protected:
  ~ConnectionWatcher() = default;

 private:
  friend class WebSocketConnection;

  ConnectionWatcher* next_ = nullptr;  // of the same connection
};

}  // namespace squall::websocket
