#pragma once

#include <squall/websocket/connection/message_receiver.h>
#include <squall/websocket/connection/pending_read.h>

namespace squall {
class IOLoop;
}

namespace squall::websocket {

class WebSocketConnection;

// Where the messages of a connection go: to a read that waits, to a receiver, or nowhere. At most one of the
// two is set. A connection that rests keeps it.
struct MessageTarget {
  bool is_set() const noexcept { return read || receiver; }
  // The read is over: resumes its coroutine, which may destroy the connection.
  void resume_read(IOLoop& loop);
  // The connection has ended: the read gives std::nullopt, or the receiver is called for the last time. Both
  // may destroy the connection.
  void end(WebSocketConnection& connection);

  PendingRead* read = nullptr;
  MessageReceiver* receiver = nullptr;
};

}  // namespace squall::websocket
