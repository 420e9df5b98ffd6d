#pragma once

#include <squall/ioloop/base/intrusive_list.h>
#include <squall/websocket/connection/message_receiver.h>
#include <squall/websocket/connection/websocket_connection.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace squall::websocket {

// Owns connections, in the order in which they were added.
//
// Thread:    the loop's thread.
// Lifetime:  the destructor destroys the connections, whose peers see 1001.
class ConnectionGroup {
 public:
  ConnectionGroup() = default;
  ~ConnectionGroup() { clear(); }
  ConnectionGroup(const ConnectionGroup&) = delete;
  ConnectionGroup& operator=(const ConnectionGroup&) = delete;

  WebSocketConnection& add(std::unique_ptr<WebSocketConnection> connection) noexcept;
  // The connection has a receiver, which destroy()s it in on_close().
  WebSocketConnection& add(std::unique_ptr<WebSocketConnection> connection, MessageReceiver& receiver);
  // Destroys a connection of this group.
  void destroy(WebSocketConnection& connection) noexcept;
  void clear() noexcept;

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  // Calls `visit` with each connection. `visit` may destroy connections, and add some, which may be visited.
  template <class Visit>
  void for_each(Visit visit) {
    connections_.for_each(visit);
  }
  // Calls close() of each connection. For a server that ends: 1001.
  void close_all(std::optional<std::uint16_t> code = std::nullopt, std::string_view reason = {});

 private:
  IntrusiveList<WebSocketConnection> connections_;
  std::size_t size_ = 0;
};

}  // namespace squall::websocket
