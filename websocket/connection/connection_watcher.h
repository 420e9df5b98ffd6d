#pragma once

#include <utility>

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
  friend class ConnectionWatchers;

  ConnectionWatcher* next_ = nullptr;  // of the same connection
};

// The watchers of one connection: one pointer.
class ConnectionWatchers {
 public:
  void add(ConnectionWatcher& watcher) noexcept { watcher.next_ = std::exchange(first_, &watcher); }
  void remove(ConnectionWatcher& watcher) noexcept {
    for (ConnectionWatcher** link = &first_; *link; link = &(*link)->next_) {
      if (*link != &watcher) continue;
      *link = std::exchange(watcher.next_, nullptr);
      return;
    }
  }
  // Tells each, once. A watcher may remove others.
  void tell() noexcept {
    while (first_) {
      ConnectionWatcher& watcher = *first_;
      first_ = std::exchange(watcher.next_, nullptr);
      watcher.on_connection_end();
    }
  }

 private:
  ConnectionWatcher* first_ = nullptr;  // the last one that was added
};

}  // namespace squall::websocket
