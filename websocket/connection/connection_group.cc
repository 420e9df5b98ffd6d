#include <squall/websocket/connection/connection_group.h>

namespace squall::websocket {

WebSocketConnection& ConnectionGroup::add(std::unique_ptr<WebSocketConnection> connection) noexcept {
  WebSocketConnection& added = *connection.release();
  connections_.push_back(added);
  ++size_;
  return added;
}

WebSocketConnection& ConnectionGroup::add(std::unique_ptr<WebSocketConnection> connection,
                                          MessageReceiver& receiver) {
  connection->set_receiver(receiver);
  return add(std::move(connection));
}

void ConnectionGroup::destroy(WebSocketConnection& connection) noexcept {
  --size_;
  delete &connection;  // unlinks itself
}

void ConnectionGroup::clear() noexcept {
  while (!connections_.empty()) destroy(connections_.front());
}

void ConnectionGroup::close_all(std::optional<std::uint16_t> code, std::string_view reason) {
  for_each([&](WebSocketConnection& connection) { connection.close(code, reason); });
}

}  // namespace squall::websocket
